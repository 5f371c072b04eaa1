-- helpers/history.lua: a conversation's messages as a list: copied, checked, read from JSON, and kept short.
-- Leans on json/ and on request/models.lua for what a message is. Knows no client and no requests.

local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local requests = require("llm_gateway.request.models")

local M = {}

-- A deep copy that keeps the marks of lists.
function M.copy(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = M.copy(item) end
  return setmetatable(copy, getmetatable(value))
end

local function is_system(message)
  return message ~= nil and (message.role == "system" or message.role == "developer")
end

-- ---------------------------------------------------------------------------------------------------------
-- Reading

local function at(i)
  return ("messages[%d]"):format(i)
end

local function note_calls(message, open)
  local count = 0
  for _, call in ipairs(type(message.tool_calls) == "table" and message.tool_calls or {}) do
    if type(call) == "table" and call.id ~= nil and not open[call.id] then open[call.id], count = true, count + 1 end
  end
  return count
end

-- Calls of tools and their results belong together: every API refuses a list that was cut between them. (The results
-- of the last calls may be yet to come.)
local function pair_fault(list)
  local open, count = {}, 0
  for i, message in ipairs(list) do
    local answers = message.role == "tool"
    if answers and not open[message.tool_call_id] then return at(i), "is the result of a call that is not there" end
    if not answers and count > 0 then return at(i), "comes before the results of the calls before it" end
    if answers then open[message.tool_call_id], count = nil, count - 1 end
    count = count + note_calls(message, open)
  end
end

local function message_fault(message, path)
  if type(message) ~= "table" then return path, "expected a table, got " .. checks.shown(message) end
  local _, err = requests.ChatMessage(message, 1)
  if not err then return nil end
  if not err.field then return path, err.message end
  return path .. "." .. err.field, err.message:sub(#err.field + 3)
end

-- Of what other dialects keep in their lists no more is asked than that it is a table.
local function list_fault(list, api)
  for i, message in ipairs(list) do
    if api ~= "chat" and type(message) == "table" then message = { role = "user" } end
    local path, fault = message_fault(message, at(i))
    if path then return path, fault end
  end
  if api == "chat" then return pair_fault(list) end
end

local function decoded(text)
  local list, why = json.decode(text)
  if json.is_list(list) then return list end
  return nil, "is no JSON list" .. (why and ": " .. why or "")
end

-- A checked copy of a list of messages, or of the JSON text of one; or nil, err. api: whose list it is.
function M.read(given, api)
  local list, why = given, nil
  if type(given) == "string" then list, why = decoded(given) end
  if why then return nil, errors.invalid("messages", why) end
  if type(list) ~= "table" or (#list == 0 and next(list) ~= nil) then
    return nil, errors.invalid("messages", "expected a list of messages, got " .. checks.shown(given))
  end
  local path, fault = list_fault(list, api)
  if path then return nil, errors.invalid(path, fault) end
  return M.copy(list)
end

-- What was said, as messages: text, the parts of a content, a message, or a list of messages.
function M.said(what)
  if type(what) == "string" then return { { role = "user", content = what } } end
  if what[1] == nil then
    local message = M.copy(what)
    message.role = message.role or "user"
    return { message }
  end
  local list = M.copy(what)
  if type(what[1]) == "table" and what[1].role then return list end
  return { { role = "user", content = list } }
end

-- Puts the system's message first in a list, in place of the one that is there.
function M.set_system(list, text)
  local message = { role = "system", content = text }
  if is_system(list[1]) then list[1] = message else table.insert(list, 1, message) end
end

-- Takes the system's message out of a list; returns its content, or nil. Messages has a field for it.
function M.take_system(list)
  return is_system(list[1]) and table.remove(list, 1).content or nil
end

-- ---------------------------------------------------------------------------------------------------------
-- Forgetting

-- Whether an item goes on with what the one before it began: results of tools, and what Responses has without a role
-- (reasoning goes with the calls after it).
local function goes_on(item)
  if item == nil then return false end
  local part = type(item.content) == "table" and item.content[1]
  return item.role == "tool" or item.role == nil or (type(part) == "table" and part.type == "tool_result")
end

-- Where what begins at `i` ends: a message that calls tools goes with their results.
local function end_of_unit(list, i)
  local last = i
  while goes_on(list[last + 1]) do last = last + 1 end
  return last
end

-- What a model said does not begin a conversation: many a chat template refuses that, and Responses has items that are
-- nothing without those before them. Returns the place of the user's next message, from `i` to `from`; `i` where there
-- is none.
local function next_question(list, i, from)
  for place = i, from do
    if list[place].role == "user" and not goes_on(list[place]) then return place end
  end
  return i
end

-- Drops the oldest messages of a list until at most `most` are left. The system's message stays, so does everything
-- from place `from` on; a call of tools goes or stays with its results, and what answers a question goes with it.
function M.shorten(list, most, from)
  local first = is_system(list[1]) and 2 or 1
  local kept = first
  while #list - (kept - first) > most do
    local last = end_of_unit(list, kept)
    if last >= from then break end
    kept = last + 1
  end
  if kept > first then kept = next_question(list, kept, from) end
  local dropped = kept - first
  if dropped == 0 then return end
  local length = #list
  for i = first, length do list[i] = list[i + dropped] end
end

return M
