-- reply/dialects.lua: the shapes in which gateways answer: a chat's chunks, the events of Responses and of Messages,
-- and whatever else, of which nothing is assumed.
-- Leans on the files of each. A dialect has:
--   reader()           what a stream knows of its events (chunk_reader.lua says what it must have)
--   collector()        makes a whole value of them: add(value, name), value()
--   fault(value)       what tells that a whole answer is an error (for errors.of_answer), or nil
--   is_whole(value)    whether it is what was asked for; `wanted` is its name
--   events_of(value)   the events that a whole answer stands for: a list of {value, name}
--   tidy(value)        the whole answer with what every user relies on filled in
--   headers            what it wants to be sent, or nil
--   strict             whether an end without its sign is an error; typed: whether `for` gives the event's name too

local faults = require("llm_gateway.reply.faults")
local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")

local assemble = lazy("llm_gateway.reply.assemble")
local chunk_reader = lazy("llm_gateway.reply.chunk_reader")
local messages = lazy("llm_gateway.reply.messages")
local responses = lazy("llm_gateway.reply.responses")
local tool_calls = lazy("llm_gateway.reply.tool_calls")

local M = { responses = responses, messages = messages }

-- ---------------------------------------------------------------------------------------------------------
-- Chat

local chat = { strict = true, wanted = "a chat completion", fault = faults.of_chat }
M.chat = chat

function chat.reader() return chunk_reader.new() end
function chat.collector() return assemble.new() end

function chat.is_whole(value)
  return type(value.choices) == "table" and value.choices[1] ~= nil
end

function chat.events_of(value)
  if value.object == nil then value.object = "chat.completion" end
  return { { value } }
end

function chat.tidy(value)
  local choices = type(value.choices) == "table" and value.choices or {}
  for i = 1, #choices do
    local choice = choices[i]
    local message = type(choice) == "table" and choice.message
    if type(message) == "table" and (message.tool_calls ~= nil or message.function_call ~= nil) then
      tool_calls.tidy(message)
      tool_calls.complete(message)
    end
  end
  return value
end

-- ---------------------------------------------------------------------------------------------------------
-- Anything else: nothing tells when it is complete, so that any orderly end is a good one.

local Plain = { text = "", done = false, ended = false }
Plain.__index = Plain

function Plain.read(_, value, _, halves)
  if halves then json.mend_all(value) end
  return value, faults.of_plain(value)
end

function Plain.partial_text() return nil end
function Plain.reasoning_text() return "" end

M.plain = { typed = true, collector = chat.collector }

function M.plain.reader() return setmetatable({}, Plain) end

-- ---------------------------------------------------------------------------------------------------------

local BY_END = { { "/chat/completions$", chat }, { "/responses$", responses }, { "/messages$", messages } }

-- The dialect that is spoken on a path, told by its end.
function M.of_path(path)
  path = path:match("^[^?]*")
  for _, pair in ipairs(BY_END) do
    if path:find(pair[1]) then return pair[2] end
  end
  return M.plain
end

return M
