-- helpers/tool_dialects.lua: how a dialect offers tools, calls them and takes their results.
-- Leans on json/, on reply/content.lua for whether a reply is whole, and on strict.lua for what Responses wants to be
-- told. Each dialect has
--   verb, list            the client's verb, and the field of its request that has what was said
--   offer(tools)          what the request's `tools` is, of the list that tools.lua read
--   read(reply, round)    what a whole reply says: {calls, cut (why it is not whole, or nil), messages (to go on with)}
--   results(calls)        the messages that tell the results of the calls, in their order
-- It sends nothing and runs nothing.

local content = require("llm_gateway.reply.content")
local json = require("llm_gateway.json")
local strict = require("llm_gateway.helpers.strict")

local function table_of(value)
  return type(value) == "table" and value or {}
end

-- Why a reply is not whole, in its own word; nil where it is.
local function cut_of(reply)
  return select(2, content.unfinished(reply))
end

-- What a tool is called with, in the form that is the same for every dialect: arguments are text.
local function call_of(id, name, arguments, round)
  if type(arguments) == "table" then arguments = json.encode(arguments) end
  if type(arguments) ~= "string" then arguments = "" end
  name = type(name) == "string" and name or ""
  local made = { name = name, arguments = arguments }
  return { id = id, type = "function", name = name, round = round, ["function"] = made }
end

-- An id that no other call of the reply has. Some servers send none, or one for all.
local function own_id(id, ids, place)
  if type(id) ~= "string" or id == "" or ids[id] then id = ("call_%d_%d"):format(ids.round, place) end
  ids[id] = true
  return id
end

-- ---------------------------------------------------------------------------------------------------------
-- Chat

-- The call goes back to the gateway with its message, so that it is mended there too.
local function settled_call(call, ids, place)
  local made = type(call) == "table" and call["function"]
  if type(made) ~= "table" then return nil end
  call.id = own_id(call.id, ids, place)
  local settled = call_of(call.id, made.name, made.arguments, ids.round)
  made.name, made.arguments = settled.name, settled["function"].arguments
  return settled
end

local function calls_of(message, round)
  local calls, ids = {}, { round = round }
  for place, call in ipairs(type(message.tool_calls) == "table" and message.tool_calls or {}) do
    calls[#calls + 1] = settled_call(call, ids, place)
  end
  return calls
end

local chat = { verb = "chat", list = "messages" }

function chat.offer(list)
  local sent = {}
  for i, tool in ipairs(list) do
    sent[i] = tool.foreign or { type = "function", ["function"] = {
      name = tool.name, description = tool.description, parameters = tool.parameters, strict = tool.strict,
    } }
  end
  return sent
end

function chat.read(reply, round)
  local choice = type(reply.choices) == "table" and reply.choices[1]
  local message = type(choice) == "table" and type(choice.message) == "table" and choice.message
  if not message then return { calls = {}, messages = {} } end
  return { calls = calls_of(message, round), cut = cut_of(reply), messages = { message } }
end

function chat.results(calls)
  local messages = {}
  for i, call in ipairs(calls) do
    messages[i] = { role = "tool", tool_call_id = call.id, content = call.result.content }
  end
  return messages
end

-- ---------------------------------------------------------------------------------------------------------
-- Responses. There a tool is strict unless it says that it is not.

local responses = { verb = "responses", list = "input" }

function responses.offer(list)
  local sent = {}
  for i, tool in ipairs(list) do
    local is_strict = tool.strict
    if is_strict == nil and not tool.foreign then is_strict = strict.fits(tool.parameters) end
    sent[i] = tool.foreign or {
      type = "function", name = tool.name, description = tool.description, parameters = tool.parameters,
      strict = is_strict,
    }
  end
  return sent
end

function responses.read(reply, round)
  local calls, ids, items = {}, { round = round }, {}
  for place, item in ipairs(table_of(reply.output)) do
    items[place] = item
    if type(item) == "table" and item.type == "function_call" then
      item.call_id = own_id(item.call_id, ids, place)
      table.insert(calls, call_of(item.call_id, item.name, item.arguments, round))
    end
  end
  return { calls = calls, cut = cut_of(reply), messages = items }
end

function responses.results(calls)
  local items = {}
  for i, call in ipairs(calls) do
    items[i] = { type = "function_call_output", call_id = call.id, output = call.result.content }
  end
  return items
end

-- ---------------------------------------------------------------------------------------------------------
-- Messages

local messages = { verb = "messages", list = "messages" }

function messages.offer(list)
  local sent = {}
  for i, tool in ipairs(list) do
    sent[i] = tool.foreign or {
      name = tool.name, description = tool.description, input_schema = tool.parameters, strict = tool.strict,
    }
  end
  return sent
end

function messages.read(reply, round)
  local calls, ids = {}, { round = round }
  for place, part in ipairs(table_of(reply.content)) do
    if type(part) == "table" and part.type == "tool_use" then
      part.id = own_id(part.id, ids, place)
      table.insert(calls, call_of(part.id, part.name, part.input, round))
    end
  end
  local said = type(reply.content) == "table" and { { role = "assistant", content = reply.content } } or {}
  return { calls = calls, cut = cut_of(reply), messages = said }
end

-- All results of a round are parts of one message.
function messages.results(calls)
  local parts = {}
  for i, call in ipairs(calls) do
    parts[i] = {
      type = "tool_result", tool_use_id = call.id, content = call.result.content,
      is_error = call.result.failed or nil,
    }
  end
  return { { role = "user", content = parts } }
end

return { chat = chat, responses = responses, messages = messages }
