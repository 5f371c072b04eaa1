-- reply/deltas.lua: merges the deltas of a chat's chunks into a message: its texts, its lists, its tables.
-- Leans on reply/rope.lua, and on reply/tool_calls.lua for which call a piece belongs to. Nothing empty wipes what
-- came. The deltas' tables become the message's own.
--
-- What is known beside the messages is one state for all of them: `ropes`, the places where a rope stands for a text
-- until `finish`; `lists`, what is known of the items of each list; `count`, which the caller raises with each chunk.

local ropes = require("llm_gateway.reply.rope")
local tool_calls = require("llm_gateway.reply.tool_calls")

local is_said = tool_calls.is_said

-- These are said once; a server may repeat them, or make up others. Every other text is a piece of a longer one.
local SAID_ONCE = { role = true, id = true, type = true, format = true }

local merge

-- ---------------------------------------------------------------------------------------------------------
-- Texts

-- The text in into[name] becomes longer: a rope stands in its place until the end.
local function append(self, into, name, old, piece)
  if ropes.is(old) then return old:add(piece) end
  local rope = ropes.new()
  rope:add(old)
  rope:add(piece)
  into[name] = rope
  self.ropes[#self.ropes + 1] = { into, name }
end

-- A name may come in pieces too, and some servers say it in each of them.
local function merge_text(self, into, name, old, value)
  if SAID_ONCE[name] then
    if old ~= value and not is_said(old) then into[name] = value end
  elseif name ~= "name" or value ~= old then
    append(self, into, name, old, value)
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Lists of a delta: tool calls, and others whose items are just added.

local is_place = tool_calls.is_place

local function list_state(self, list)
  local state = self.lists[list]
  if not state then
    state = { by_index = {}, by_id = {}, chunks = {}, places = {}, highest = -1 }
    self.lists[list] = state
  end
  return state
end

-- Two kinds of details may share an index (reasoning's text and its signature); a piece without a type goes on with
-- the last.
local function find_item(state, item)
  local old = state.by_index[item.index]
  if not old or item.type == nil or old.type == nil or old.type == item.type then
    local other = old and is_said(item.id) and is_said(old.id) and item.id ~= old.id
    return not other and old or nil
  end
  return state.by_id[tostring(item.index) .. tostring(item.type)]
end

local function note_item(state, kept, item)
  state.by_index[item.index] = kept
  if item.type then state.by_id[tostring(item.index) .. tostring(item.type)] = kept end
end

local function add_placed(self, into, item)
  local state, is_call = list_state(self, into), item["function"] ~= nil
  local old
  if is_call then old = tool_calls.find(state, item, self.count) else old = find_item(state, item) end
  local kept = old or merge(self, setmetatable({}, getmetatable(item)), item)
  if old then
    merge(self, old, item)
  else
    into[#into + 1] = kept
    local place = is_place(item.index) and item.index or state.highest
    state.places[kept] = place
    if place < state.highest then state.unsorted = true else state.highest = place end
  end
  if is_call then tool_calls.note(state, kept, item, self.count) else note_item(state, kept, item) end
end

local function merge_list(self, into, list)
  for _, item in ipairs(list) do
    if type(item) == "table" and (is_place(item.index) or item["function"] ~= nil) then
      add_placed(self, into, item)
    else
      into[#into + 1] = item
    end
  end
  return into
end

-- ---------------------------------------------------------------------------------------------------------
-- Values

-- Content is text, or a list of parts; a server may change its mind.
local function as_parts(self, text)
  local part = { type = "text", text = text }
  if ropes.is(text) then self.ropes[#self.ropes + 1] = { part, "text" } end
  return { part }
end

local function merge_table(self, into, name, old, value)
  local is_list = value[1] ~= nil
  if name == "content" and (ropes.is(old) or (type(old) == "string" and old ~= "")) then
    old = as_parts(self, old)
    into[name] = old
  elseif name == "tool_calls" and not is_list and next(value) ~= nil then
    value, is_list = { value }, true
  end
  if type(old) ~= "table" or ropes.is(old) then
    old = setmetatable({}, getmetatable(value))
    into[name] = old
  end
  if is_list then merge_list(self, old, value) else merge(self, old, value) end
end

-- Merges the value of into[name], which is `old` so far.
local function merge_value(self, into, name, old, value)
  local kind, old_kind = type(value), type(old)
  if kind == "table" then
    merge_table(self, into, name, old, value)
  elseif kind ~= "string" or old == nil then
    if value or not (ropes.is(old) or old_kind == "string") then into[name] = value end
  elseif value == "" then
    return
  elseif old_kind == "string" and old ~= "" then
    merge_text(self, into, name, old, value)
  elseif ropes.is(old) then
    if not SAID_ONCE[name] then old:add(value) end
  elseif name == "content" and old_kind == "table" then
    merge_list(self, old, as_parts(self, value))
  else
    into[name] = value
  end
end

-- Merges a delta into the table `into`, which it returns.
function merge(self, into, delta)
  for name, value in next, delta do merge_value(self, into, name, into[name], value) end
  return into
end

-- ---------------------------------------------------------------------------------------------------------
-- The end

-- In the order of their indexes; those that share one, as they came.
local function sort_list(list, places)
  local came = {}
  for i, item in ipairs(list) do came[item] = i end
  table.sort(list, function(a, b)
    local first, second = places[a] or 0, places[b] or 0
    return first < second or (first == second and came[a] < came[b])
  end)
end

-- Nothing more is to come: ropes become texts, and lists get their order.
local function finish(self)
  for _, place in ipairs(self.ropes) do
    local rope = place[1][place[2]]
    if ropes.is(rope) then place[1][place[2]] = rope:text() end
  end
  for list, state in pairs(self.lists) do
    if state.unsorted then sort_list(list, state.places) end
  end
end

-- A state of nothing.
local function new()
  return { ropes = {}, lists = {}, count = 0 }
end

return { new = new, merge = merge, merge_value = merge_value, finish = finish }
