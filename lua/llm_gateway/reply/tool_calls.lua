-- reply/tool_calls.lua: which pieces of a stream belong to one tool call, and what a whole call has.
-- Leans on json, on reply/rope.lua, and on scalars.lua for whether a text says something. Ids and indexes are no help
-- by themselves: servers leave them empty, repeat them, or make up others for each piece. A new name behind the
-- arguments of the last call is what tells.

local json = require("llm_gateway.json")
local ropes = require("llm_gateway.reply.rope")
local scalars = require("llm_gateway.scalars")

local M = {}

local LONGEST_NAME = 1024 -- bytes; a longer one is compared with nothing

-- Some gateways write their nulls out.
local function is_said(value)
  return scalars.text(value) ~= nil
end

local function name_of(item)
  local called = item["function"]
  local name = type(called) == "table" and called.name
  if ropes.is(name) then name = name.length <= LONGEST_NAME and name:text() or "" end
  return is_said(name) and name or nil
end

-- ---------------------------------------------------------------------------------------------------------
-- Whether arguments are complete: a reading that goes on where it stopped, so that it is linear.

local scans = setmetatable({}, { __mode = "k" }) -- by a call's `function`: how far its arguments were read

local function scan_text(scan, text, at)
  local found = text:find('["\\]', at)
  if not found then return #text + 1 end
  if text:byte(found) == 34 then
    scan.quoted = false
    return found + 1
  end
  scan.skip = found == #text -- the character that is escaped begins the next piece
  return found + 2
end

local STEPS = { ["{"] = 1, ["["] = 1, ["}"] = -1, ["]"] = -1 }

local function scan_outside(scan, text, at)
  local found = text:find('["{}%[%]]', at)
  if not found then return #text + 1 end
  local step = STEPS[text:sub(found, found)]
  scan.depth = scan.depth + (step or 0)
  scan.quoted = step == nil
  return found + 1
end

local function read_on(scan, piece)
  local at = scan.skip and 2 or 1
  scan.skip = false
  while at <= #piece do at = (scan.quoted and scan_text or scan_outside)(scan, piece, at) end
end

-- Notes a piece of a call's arguments. Once a call.
local function note_arguments(called, piece)
  local scan = scans[called]
  if not scan then
    scan = { depth = 0, quoted = false, skip = false }
    scans[called] = scan
  end
  read_on(scan, piece)
end

local function has_arguments(called)
  return scans[called] ~= nil
end

local function is_complete(called)
  local scan = scans[called]
  return scan ~= nil and scan.depth <= 0 and not scan.quoted
end

local function begins_anew(called)
  return type(called.arguments) == "string" and called.arguments:find("^%s*{") ~= nil
end

-- ---------------------------------------------------------------------------------------------------------

-- Whether a piece is another call than the one it would go on with. same_chunk: both came in one chunk.
local function is_another(old, item, same_chunk)
  local name, old_name = name_of(item), name_of(old)
  local called, old_called = item["function"], old["function"]
  if not name or not old_name then return false end
  if name == old_name then
    return has_arguments(old_called) and is_complete(old_called) and begins_anew(called)
  end
  if has_arguments(old_called) or same_chunk then return true end
  return is_said(item.id) and is_said(old.id) and item.id ~= old.id
end

-- Without an index: the call of the same id; else the last one, unless an id of its own and a name begin another.
local function without_index(list, item)
  if is_said(item.id) then
    if list.by_id[item.id] then return list.by_id[item.id] end
    local last = list.last
    local open = last and has_arguments(last["function"] or {}) and not is_complete(last["function"])
    if name_of(item) and not (open and name_of(last) == name_of(item)) then return nil end
  end
  return list.last
end

-- Whether an index tells a place: a server may send NaN, which is the key of nothing.
function M.is_place(index)
  return type(index) == "number" and index == index
end

-- The call in a list ({by_index, by_id, last, chunk}) that a piece goes on with; nil when it begins another one.
function M.find(list, item, chunk)
  local old
  if M.is_place(item.index) then old = list.by_index[item.index] else old = without_index(list, item) end
  if not old or is_another(old, item, list.chunks[old] == chunk) then return nil end
  return old
end

-- Notes that `call`, which `item` began or went on with, is the one that its index and its id mean now.
function M.note(list, call, item, chunk)
  local called = item["function"]
  if M.is_place(item.index) then list.by_index[item.index] = call end
  if is_said(item.id) then list.by_id[item.id] = call end
  list.last, list.chunks[call] = call, chunk
  local arguments = type(called) == "table" and called.arguments
  if type(arguments) == "string" and arguments ~= "" then note_arguments(call["function"], arguments) end
end

-- ---------------------------------------------------------------------------------------------------------
-- Whole calls

local made = 0

-- An id that no other call of this program has, and hardly one of another.
local function new_id()
  made = made + 1
  return ("call_%08x%06x"):format(os.time() % 2 ^ 32, made % 2 ^ 24)
end

-- Some servers send a call's arguments as an object; everyone reads text.
local function arguments_as_text(called)
  if type(called) == "table" and type(called.arguments) == "table" then
    called.arguments = json.encode(called.arguments) or ""
  end
end

-- Makes text of the arguments of the calls in a message, or in a delta.
function M.tidy(message)
  arguments_as_text(message.function_call)
  for _, call in ipairs(type(message.tool_calls) == "table" and message.tool_calls or {}) do
    if type(call) == "table" then arguments_as_text(call["function"]) end
  end
end

local function complete_function(called)
  if type(called.name) ~= "string" then called.name = "" end
  arguments_as_text(called)
  if type(called.arguments) ~= "string" or called.arguments == "" then called.arguments = "{}" end
end

-- Gives the calls of a whole message what an answer to them needs: id, type, function.name, arguments as text.
function M.complete(message)
  local calls = type(message) == "table" and message.tool_calls
  for _, call in ipairs(type(calls) == "table" and calls or {}) do
    if type(call) == "table" then
      if not is_said(call.id) then call.id = new_id() end
      if not is_said(call.type) then call.type = "function" end
      if type(call["function"]) == "table" then complete_function(call["function"]) end
    end
  end
end

M.is_said = is_said

return M
