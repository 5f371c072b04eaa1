-- helpers/tool_dialects.lua: how a dialect offers tools, calls them and takes their results.
-- Leans on json/. Each dialect has
--   offer(tools)          what the request's `tools` is, of the list that tools.lua read
--   read(reply, round)    what a whole reply says: {calls, cut (why it is not whole, or nil), messages (to go on with)}
--   results(calls)        the messages that tell the results of the calls, in their order
-- It sends nothing and runs nothing.

local json = require("llm_gateway.json")

-- A call as it goes back to the gateway: with an id of its own and arguments that are text. Some servers send none,
-- or one id for all, or a table.
local function settled_call(call, ids, place)
  local made = type(call) == "table" and call["function"]
  if type(made) ~= "table" then return nil end
  if type(call.id) ~= "string" or call.id == "" or ids[call.id] then
    call.id = ("call_%d_%d"):format(ids.round, place)
  end
  ids[call.id] = true
  if type(made.name) ~= "string" then made.name = "" end
  if type(made.arguments) == "table" then made.arguments = json.encode(made.arguments) end
  if type(made.arguments) ~= "string" then made.arguments = "" end
  return { id = call.id, type = "function", name = made.name, ["function"] = made, round = ids.round }
end

local function calls_of(message, round)
  local calls, ids = {}, { round = round }
  for place, call in ipairs(type(message.tool_calls) == "table" and message.tool_calls or {}) do
    calls[#calls + 1] = settled_call(call, ids, place)
  end
  return calls
end

local CUT = { length = true, content_filter = true }

local chat = {}

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
  local reason = choice.finish_reason
  return { calls = calls_of(message, round), cut = CUT[reason] and reason or nil, messages = { message } }
end

function chat.results(calls)
  local messages = {}
  for i, call in ipairs(calls) do
    messages[i] = { role = "tool", tool_call_id = call.id, content = call.result.content }
  end
  return messages
end

return { chat = chat }
