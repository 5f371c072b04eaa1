-- request/tool_arguments.lua: the arguments of tool calls in a request, which the API wants as JSON text.
-- Leans on json. The caller's tables stay as they are.

local json = require("llm_gateway.json")

local M = {}

-- The arguments of a call as text, which the API wants, where they were given as a table; nil, message, where that
-- cannot be.
local function arguments_as_text(called)
  if next(called.arguments) == nil then return "{}" end
  return json.encode(called.arguments)
end

local function copy(t)
  local new = {}
  for name, value in pairs(t) do new[name] = value end
  return setmetatable(new, getmetatable(t))
end

local function has_table(called)
  return type(called) == "table" and type(called.arguments) == "table"
end

-- A function's call ({name, arguments}) whose arguments are text; or nil, message, path.
local function told_as_text(called)
  local arguments, message, where = arguments_as_text(called)
  if not arguments then
    return nil, message, ".arguments" .. (where and where ~= "" and "." .. where or "")
  end
  local new = copy(called)
  new.arguments = arguments
  return new
end

-- Replaces the call under this name where its arguments are a table. Returns the holder (a copy of it then); or nil,
-- message, path.
local function mended(holder, name)
  if not has_table(holder[name]) then return holder end
  local called, message, where = told_as_text(holder[name])
  if not called then return nil, message, "." .. name .. where end
  local new = copy(holder)
  new[name] = called
  return new
end

local function mended_calls(message)
  local calls, new = message.tool_calls, nil
  for i = 1, type(calls) == "table" and #calls or 0 do
    local call, fault_message, where = mended(calls[i], "function")
    if not call then return nil, fault_message, (".tool_calls[%d]%s"):format(i, where) end
    if call ~= calls[i] then
      new = new or copy(calls)
      new[i] = call
    end
  end
  if not new then return message end
  message = copy(message)
  message.tool_calls = new
  return message
end

local function mended_message(message)
  if message.tool_calls == nil and message.function_call == nil then return message end
  local new, fault_message, where = mended(message, "function_call")
  if not new then return nil, fault_message, where end
  return mended_calls(new)
end

-- The messages of a chat, where each table among the arguments of their calls has become JSON text; the caller's own
-- where there was none, else copies of what changed. Or nil, message, path from the messages on.
function M.as_text(messages)
  local new = messages
  for i = 1, #messages do
    local message, fault_message, where = mended_message(messages[i])
    if not message then return nil, fault_message, ("[%d]%s"):format(i, where) end
    if message ~= messages[i] then
      if new == messages then new = copy(messages) end
      new[i] = message
    end
  end
  return new
end

return M
