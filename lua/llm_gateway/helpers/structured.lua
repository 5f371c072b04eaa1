-- helpers/structured.lua: what a request's `response_format` may be: a word, a JSON Schema, or what the API takes.
-- Leans on json_schema_faults.lua for schemas, on strict.lua for what a provider can hold a model to. What came is read
-- by reply/parsed.lua.

local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")
local schemas = require("llm_gateway.helpers.json_schema_faults")
local strict = require("llm_gateway.helpers.strict")

local M = {}

local PATH = "response_format"

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
  if not sent then return nil, errors.invalid(where, second) end
  puts[dialect](body, sent)
  return second
end

return M
