-- reply/results.lua: what the user gets of a gateway's answer: a reply, a stream, a list of models, a value.
-- Leans on reply.lua, stream.lua and chunks.lua, and on errors.lua for an answer that is none of these. An answer is
-- what call.lua's make returns; each of these functions returns what the verb does, or nil, err.

local calls = require("llm_gateway.call")
local chunks = require("llm_gateway.reply.chunk_reader")
local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local replies = require("llm_gateway.reply")
local streams = require("llm_gateway.reply.stream")

local M = {}

local function is_list(value)
  return value[1] ~= nil or json.is_array(value)
end

-- A reply: the decoded body, which has to be a table of fields.
function M.reply(answer)
  if type(answer.value) ~= "table" or is_list(answer.value) then return nil, errors.of_answer(answer) end
  return replies.new(answer.value, calls.info(answer))
end

-- An embedding asked for as base64 comes as text; it is handed over as numbers all the same.
function M.embeddings(answer)
  local reply, err = M.reply(answer)
  if not reply then return nil, err end
  for _, item in ipairs(type(reply.data) == "table" and reply.data or {}) do
    if type(item) == "table" and type(item.embedding) == "string" then
      item.embedding = core.floats(item.embedding) or item.embedding
    end
  end
  return reply
end

-- The list of models in an answer's body; nil when it has none.
local function model_list(value)
  if type(value) ~= "table" then return nil end
  local list = value.data or value.models or is_list(value) and value
  if type(list) ~= "table" then return nil end
  for i, model in ipairs(list) do
    if type(model) == "string" then list[i] = { id = model } end
  end
  return list
end

-- A list of models, each a table with an id.
function M.models(answer)
  local list = model_list(answer.value)
  if not list then return nil, errors.of_answer(answer) end
  return replies.new(list, calls.info(answer))
end

-- Whether a text that is no JSON was announced as JSON (RFC 6839, 3.1): then it is broken.
local function is_broken_json(answer)
  if answer.value ~= nil or answer.text == "" then return false end
  local type = (answer.headers["content-type"] or ""):lower():match("^[^;%s]*")
  return type:find("^application/.*json$") ~= nil
end

-- The decoded body, a reply when it is a table; the text itself where it neither is JSON nor claims to be.
function M.value(answer)
  if type(answer.value) == "table" then return replies.new(answer.value, calls.info(answer)) end
  if is_broken_json(answer) then return nil, errors.of_answer(answer) end
  return answer.value == nil and answer.text or answer.value
end

local function stream_of_transfer(answer, call, plain)
  local function describe(facts) return calls.failure(call, facts) end
  return streams.iterator(
    streams.of_transfer(call.loop, answer.transfer, calls.info(answer), answer.secrets, describe, plain))
end

local function message_as_delta(choice, position)
  if type(choice) ~= "table" then return choice end
  local copy = {}
  for name, value in pairs(choice) do copy[name] = value end
  copy.index, copy.delta, copy.message = copy.index or position - 1, copy.message or copy.delta or {}, nil
  return copy
end

-- A gateway that did not stream although asked to: a whole completion, or a dry run, becomes one chunk.
local function stream_of_body(answer, call)
  local value, asked = answer.value, call.value or {}
  if type(value) ~= "table" then return nil, errors.of_answer(answer) end
  if type(value.choices) == "table" and value.choices[1] then
    for position, choice in ipairs(value.choices) do value.choices[position] = message_as_delta(choice, position) end
    value = chunks.chat():read(value)
  elseif value.dry_run ~= true and asked.dry_run ~= true then
    return nil, errors.of_answer(answer)
  end
  return streams.iterator(streams.of_list({ value }, calls.info(answer), answer.timings))
end

-- What `for` takes, of an answer to a call that asked for a stream. plain: its events are no chat's chunks.
function M.stream(answer, call, plain)
  if answer.transfer then return stream_of_transfer(answer, call, plain) end
  answer.in_stream = true
  return stream_of_body(answer, call)
end

return M
