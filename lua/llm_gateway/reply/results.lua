-- reply/results.lua: what the user gets of a gateway's answer: a reply, a stream, a list of models, a value.
-- Leans on reply/init, reply/stream and reply/dialects, and on errors for an answer that is none of these. An answer is
-- what call's make returns; each of these functions returns what the verb does, or nil, err.

local core = require("llm_gateway.core")
local dialects = require("llm_gateway.reply.dialects")
local errors = require("llm_gateway.errors")
local fields = require("llm_gateway.http.fields")
local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")
local replies = require("llm_gateway.reply")

local events = lazy("llm_gateway.reply.events")
local infos = lazy("llm_gateway.reply.info")
local scalars = lazy("llm_gateway.scalars")
local streams = lazy("llm_gateway.reply.stream")
local timings = lazy("llm_gateway.http.timings")

local M = {}

local is_list, is_object = json.is_list, json.is_object

-- A reply: the decoded body, which has to be a table of fields.
function M.reply(answer)
  if not is_object(answer.value) then return nil, errors.of_answer(answer) end
  return replies.of_answer(answer.value, answer)
end

-- ---------------------------------------------------------------------------------------------------------
-- Completions

-- A dry run answers another shape.
local function is_dry_run(call, value)
  return value.dry_run == true or (call.value or {}).dry_run == true
end

-- The completion in a body: itself, or what a gateway wrapped as {data = completion}; nil when there is none.
local function completion_in(dialect, value)
  if dialect.is_whole(value) then return value end
  if is_object(value.data) and dialect.is_whole(value.data) then return value.data end
end

local function error_of(answer, dialect, fault)
  answer.wanted = dialect.wanted
  if fault then answer.body, answer.value, answer.event = answer.value, fault, "error" end
  return errors.of_answer(answer)
end

-- The error that a 2xx answer to a call in this dialect is, or nil: what was asked for has not come. For call.fault.
function M.fault(dialect)
  return function(call, answer)
    local value = answer.value
    if type(value) ~= "table" and events.are_in(answer.text) then return nil end
    answer.in_stream = call.stream or nil
    if not is_object(value) then return error_of(answer, dialect) end
    if is_dry_run(call, value) then return nil end
    local whole = completion_in(dialect, value)
    local fault = dialect.fault(whole or value)
    if fault or not whole then return error_of(answer, dialect, fault) end
    answer.whole = whole
  end
end

-- A function that returns a call's secrets and options: one for all calls of a client that have none of their own.
local function asked_by(call)
  local secrets, options = call.secrets, call.options
  local asked = secrets == rawget(options, "secrets") and options.asked
  if asked then return asked end
  asked = function() return secrets, options end
  if secrets == rawget(options, "secrets") then options.asked = asked end
  return asked
end

-- A stream may be open for long: it does not hold the call.
local function stream_of(answer, call, transfer, dialect)
  local stream = streams.of_transfer(call.loop, transfer, infos.of(answer), asked_by(call), dialect)
  local count = type(call.value) == "table" and call.value.n
  if type(count) == "number" and count > 1 then stream.reader.count = count end
  return stream
end

-- The whole answer to a call in a dialect that was not to be streamed.
function M.completion(answer, call, dialect)
  if type(answer.value) ~= "table" then
    return stream_of(answer, call, events.source(answer.text, answer.times), dialect):collect()
  end
  local value = answer.whole or completion_in(dialect, answer.value) or answer.value
  return replies.of_answer(dialect.tidy(value), answer)
end

-- A gateway that did not stream although asked to: a whole completion, or a dry run, is handed over as events.
local function stream_of_body(answer, call, dialect)
  local value = answer.value
  if type(value) ~= "table" then
    if events.are_in(answer.text) then
      return stream_of(answer, call, events.source(answer.text, answer.times), dialect)
    end
    return nil, errors.of_answer(answer)
  end
  local whole = dialect.is_whole and completion_in(dialect, value)
  if whole then return streams.of_list(dialect.events_of(whole), infos.of(answer), answer.times, dialect) end
  if not is_dry_run(call, value) then return nil, errors.of_answer(answer) end
  return streams.of_list({ { value } }, infos.of(answer), answer.times, dialects.plain)
end

-- What `for` takes, of an answer to a call that asked for a stream.
function M.stream(answer, call, dialect)
  if answer.transfer then return streams.iterator(stream_of(answer, call, answer.transfer, dialect)) end
  answer.in_stream, answer.wanted = true, dialect.wanted
  local stream, err = stream_of_body(answer, call, dialect)
  if not stream then return nil, err end
  return streams.iterator(stream)
end

-- ---------------------------------------------------------------------------------------------------------
-- The rest

-- An embedding asked for as base64 comes as text; it is handed over as numbers all the same. What has no list of them
-- is a dry run, or no answer.
function M.embeddings(answer, call)
  local value = answer.value
  if is_object(value) and type(value.data) ~= "table" and not is_dry_run(call, value) then
    answer.wanted = "embeddings"
    return nil, errors.of_answer(answer)
  end
  local reply, err = M.reply(answer)
  if not reply then return nil, err end
  for _, item in ipairs(type(reply.data) == "table" and reply.data or {}) do
    if type(item) == "table" and type(item.embedding) == "string" then -- others became numbers as they were read
      item.embedding = core.floats(item.embedding) or item.embedding
    end
  end
  return reply
end

-- A model is known by its id; some gateways call that its name.
local function with_id(model)
  if type(model) == "string" then return { id = model } end
  if type(model) == "table" and model.id == nil then model.id = model.name or model.model end
  return model
end

-- The list of models in an answer's body (empty where it is null); nil when it has none.
local function model_list(value)
  if type(value) ~= "table" then return nil end
  local list = value.data or value.models or is_list(value) and value
  if list == nil or list == false then list = value.object == "list" and json.array() end
  if type(list) ~= "table" then return nil end
  for i, model in ipairs(list) do list[i] = with_id(model) end
  return list
end

-- A list of models, each a table with an id.
function M.models(answer)
  local list = model_list(answer.value)
  if not list then return nil, errors.of_answer(answer) end
  return replies.of_answer(list, answer)
end

-- What a gateway says of its health: a table as it is, words as {text = ...}, nothing as {}.
function M.health(answer)
  local value, text = answer.value, answer.text
  if type(value) == "table" then return replies.new(value, infos.of(answer)) end
  if value ~= nil then text = tostring(value) end
  return replies.new(scalars.text(text) and { text = text } or {}, infos.of(answer))
end

-- Whether a text that is no JSON was announced as JSON (RFC 6839, 3.1): then it is broken.
local function is_broken_json(answer)
  if answer.value ~= nil or answer.text == "" then return false end
  return fields.media_type(answer):find("^application/.*json$") ~= nil
end

-- The decoded body, a reply when it is a table; the text itself where it neither is JSON nor claims to be.
function M.value(answer)
  if type(answer.value) == "table" then return replies.of_answer(answer.value, answer) end
  if is_broken_json(answer) then return nil, errors.of_answer(answer) end
  return answer.value == nil and answer.text or answer.value
end

-- Of an answer that went into a file: {into = its path, bytes = how many}.
function M.file(answer, path)
  return replies.new({ into = path, bytes = timings.of(answer).bytes }, infos.of(answer))
end

return M
