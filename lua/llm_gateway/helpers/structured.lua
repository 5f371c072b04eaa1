-- helpers/structured.lua: answers that are JSON of a given shape: what `response_format` may be, and reply:parsed().
-- Leans on json_schema_faults.lua for schemas, on reply/ for the text of a reply, on json/ to decode it.
-- A reply's fields stay the gateway's; which schema it answers is kept apart. Never mends an answer that does not fit.

local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local schemas = require("llm_gateway.helpers.json_schema_faults")
local strict = require("llm_gateway.helpers.strict")
local wanted = require("llm_gateway.reply.wanted")

local M = {}

local PATH = "response_format"

local function failure(code, message, path)
  local said = path and path ~= "" and path .. ": " .. message or message
  return errors.new({ kind = "validation", code = code, message = said, field = path ~= "" and path or nil })
end

-- ---------------------------------------------------------------------------------------------------------
-- What is asked for

local function of_word(word)
  if word == "json_object" or word == "text" then return { type = word } end
  return nil, ('expected a schema, or one of "json_object", "text", got %s'):format(checks.shown(word)), PATH
end

local WRAP_FIELDS = { name = true, schema = true, strict = true, description = true }

local function wrap_fault(wrapped, path)
  for name in pairs(wrapped) do
    if not WRAP_FIELDS[name] then
      return "is no field of a named schema (these are: name, schema, strict, description)", checks.join(path, name)
    end
  end
  local message = wrapped.name ~= nil and checks.full_text(wrapped.name)
  if message then return message, path .. ".name" end
  message = wrapped.strict ~= nil and checks.boolean(wrapped.strict)
  if message then return message, path .. ".strict" end
end

-- {name, schema, strict, description} as it is sent, and the schema to check with. A schema that a provider can hold
-- a model to, it is asked to.
local function of_wrapped(wrapped, path)
  local message, where = wrap_fault(wrapped, path)
  if message then return nil, message, where end
  local schema
  schema, message, where = schemas.compile(wrapped.schema, path .. ".schema")
  if not schema then return nil, message, where end
  local is_strict = wrapped.strict
  if is_strict == nil and strict.fits(wrapped.schema) then is_strict = true end
  local named = {
    name = wrapped.name or "answer", schema = wrapped.schema, strict = is_strict, description = wrapped.description,
  }
  return { type = "json_schema", json_schema = named }, schema
end

-- A form of some provider's own goes out as it is.
local function of_wire_form(format)
  if format.type ~= "json_schema" then return format end
  if type(format.json_schema) ~= "table" then
    return nil, "expected a table {name, schema}, got " .. checks.shown(format.json_schema), PATH .. ".json_schema"
  end
  if format.json_schema.schema == nil then return format end
  local schema, message, where = schemas.compile(format.json_schema.schema, PATH .. ".json_schema.schema")
  if not schema then return nil, message, where end
  return format, schema
end

local WIRE_TYPES = { text = true, json_object = true, json_schema = true, grammar = true, regex = true }

-- Reads a request's `response_format`: a word, a JSON Schema, {name =, schema =} of one, or what the API takes.
-- Returns what is sent and the schema to check with (or nil); or nil, a message and the path of what is wrong.
function M.read(format)
  if type(format) == "string" then return of_word(format) end
  if type(format) ~= "table" then return nil, "expected text or a table, got " .. checks.shown(format), PATH end
  if WIRE_TYPES[format.type] then return of_wire_form(format) end
  if type(format.schema) == "table" and format.type == nil then return of_wrapped(format, PATH) end
  local schema, message, where = schemas.compile(format, PATH)
  if not schema then return nil, message, where end
  local title = type(format.title) == "string" and format.title:gsub("[^%w_-]+", "_"):sub(1, 64) or nil
  return { type = "json_schema", json_schema = {
    name = title ~= "" and title or "answer", schema = format, strict = strict.fits(format) or nil,
  } }, schema
end

-- Where a dialect has the form of its answers. Only a schema has a place in each.

local puts = {}

function puts.chat(body, sent)
  body.response_format = sent
end

local function copy(t)
  local new = {}
  for name, value in pairs(type(t) == "table" and t or {}) do new[name] = value end
  return new
end

local function named_of(sent)
  return sent.type == "json_schema" and type(sent.json_schema) == "table" and sent.json_schema or nil
end

function puts.responses(body, sent)
  local format = copy(named_of(sent))
  format.type = sent.type
  body.text = copy(body.text)
  body.text.format, body.response_format = format, nil
end

function puts.messages(body, sent)
  body.response_format = nil
  if not named_of(sent) then return end
  body.output_config = copy(body.output_config)
  body.output_config.format = { type = "json_schema", schema = named_of(sent).schema }
end

-- Puts what is sent in the place of body.response_format (the body is the caller's own copy), unless it came by
-- extra_body. `dialect`: "chat", "responses" or "messages". Returns the schema to check with, or nil; or nil, err.
function M.ask(body, request, dialect)
  local given = request.response_format
  if given == nil or body.response_format ~= given then return nil end
  local sent, second, where = M.read(given)
  if not sent then return nil, failure(nil, second, where) end
  puts[dialect](body, sent)
  return second
end

-- ---------------------------------------------------------------------------------------------------------
-- What came

local values = setmetatable({}, { __mode = "k" }) -- the checked value, by reply

-- Notes that `answer`, a reply or a stream, is to fit `schema` (nil: anything). Returns all that it got after that.
function M.expect(schema, answer, ...)
  if type(answer) == "table" then wanted[answer] = schema end
  return answer, ...
end

-- What a stream is to fit, its whole reply is to fit too. Returns the reply.
function M.expect_same(stream, reply)
  return M.expect(wanted[stream], reply)
end

local function told(text)
  return type(text) == "string" and text ~= ""
end

local function table_of(value)
  return type(value) == "table" and value or {}
end

-- A refusal of OpenAI's Responses is a part of a message.
local function refusal_in(parts)
  for _, part in ipairs(table_of(parts)) do
    if type(part) == "table" then
      if part.type == "refusal" and told(part.refusal) then return part.refusal end
      local inner = refusal_in(part.content)
      if inner then return inner end
    end
  end
end

local CUT = { length = true, max_tokens = true, max_output_tokens = true, model_context_window_exceeded = true }
local REFUSED = { content_filter = true, refusal = true, safety = true }

-- Why a reply is not whole: its refusal's text or true, and the reason why it was cut, in any dialect.
local function ends_of(reply)
  local choice = table_of(table_of(reply.choices)[1])
  local message = table_of(choice.message)
  local reason = choice.finish_reason or reply.stop_reason or table_of(reply.incomplete_details).reason
  local refusal = told(message.refusal) and message.refusal or refusal_in(message.content) or refusal_in(reply.output)
  return refusal or REFUSED[reason], CUT[reason] and reason
end

local function parse(reply, text)
  local refusal, cut = ends_of(reply)
  if refusal then
    return nil, failure("refusal", "the model refused" .. (told(refusal) and ": " .. refusal or ""))
  end
  if cut then return nil, failure("length", ("the answer was cut (%s): it is not whole"):format(cut)) end
  if not text:find("%S") then return nil, failure("empty", "the reply has no text") end
  local value, why = json.decode(text)
  if value == nil and why then return nil, failure("invalid_json", "the answer is no JSON: " .. why) end
  local schema = wanted[reply]
  local message, where = nil, nil
  if schema then message, where = schema:check(value) end
  if message then return nil, failure(nil, message, where) end
  return value
end

-- The value that a reply's text is, checked against the schema that was asked for; or nil, err of kind `validation`,
-- where `field` is the path in the value, or `code` says that the model refused ("refusal") or was cut ("length").
-- The same table each time.
function M.parsed(reply, text)
  if values[reply] ~= nil then return values[reply] end
  local value, err = parse(reply, text)
  if not err then values[reply] = value end
  return value, err
end

return M
