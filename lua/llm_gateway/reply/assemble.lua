-- reply/assemble.lua: makes the whole reply of a chat's chunks, in time linear in their number.
-- Leans on json, reply/rope.lua and reply/tool_calls.lua. Nothing empty wipes what came. Chunks become its own: their
-- tables are built into the reply.

local json = require("llm_gateway.json")
local ropes = require("llm_gateway.reply.rope")
local tool_calls = require("llm_gateway.reply.tool_calls")

local is_said = tool_calls.is_said

local Collector = {}
Collector.__index = Collector

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
    if not is_said(old) then into[name] = value end
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
  if name == "content" and (ropes.is(old) or is_said(old)) then
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

local function merge_value(self, into, name, old, value)
  local kind, old_kind = type(value), type(old)
  if kind == "table" then
    merge_table(self, into, name, old, value)
  elseif kind ~= "string" or old == nil then
    into[name] = value
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

function merge(self, into, delta)
  for name, value in next, delta do merge_value(self, into, name, into[name], value) end
  return into
end

local function is_empty(value)
  return value == "" or (type(value) == "table" and next(value) == nil)
end

-- The last word counts, unless it is empty.
local function put(into, name, value)
  if into[name] == nil or not is_empty(value) then into[name] = value end
end

-- Usage may come in parts, and a zero may follow the real number.
local function add_usage(into, usage)
  for name, value in next, usage do
    local old = into[name]
    if type(value) == "table" and type(old) == "table" then
      add_usage(old, value)
    elseif old == nil or (value ~= 0 and not is_empty(value)) then
      into[name] = value
    end
  end
end

local function note_usage(self, usage)
  if type(usage) ~= "table" then return end
  if self.whole.usage == nil then self.whole.usage = setmetatable({}, getmetatable(usage)) end
  add_usage(self.whole.usage, usage)
end

-- ---------------------------------------------------------------------------------------------------------
-- Choices

local function place_of(self, index)
  local place = self.by_index[index]
  if place then return place end
  place = { index = index, message = { role = "assistant" } }
  self.by_index[index] = place
  self.choices[#self.choices + 1] = place
  return place
end

local function add_field(self, place, name, value)
  if name == "text" or name == "logprobs" then
    merge_value(self, place, name, place[name], value)
  elseif name == "message" then
    if type(value) == "table" then self.repeated[place] = value end
  else
    if name == "usage" then note_usage(self, value) end
    put(place, name, value)
  end
end

-- Of streams that are no chat nothing is known: their choices may lack index and delta, and have `text`.
local function add_choice(self, choice, position)
  local place = place_of(self, is_place(choice.index) and choice.index or position - 1)
  self.last = place
  for name, value in next, choice do
    if name == "delta" then
      if type(value) == "table" then merge(self, place.message, value) end
    elseif name ~= "index" then
      add_field(self, place, name, value)
    end
  end
end

-- Whether add_text(text) does what adding chunks would do that have this text together, and differ from the last, which
-- had one choice, in nothing else.
function Collector:takes_text()
  local said = self.last.message.content
  return type(said) == "string" or ropes.is(said)
end

function Collector:add_text(text)
  local message = self.last.message
  merge_value(self, message, "content", message.content, text)
end

-- Adds a chunk as a stream hands it over.
function Collector:add(chunk)
  local whole = self.whole
  self.count = self.count + 1
  for name, value in next, chunk do
    if name == "choices" then
      for position, choice in ipairs(type(value) == "table" and value or {}) do
        if type(choice) == "table" then add_choice(self, choice, position) end
      end
    elseif name == "usage" then
      note_usage(self, value)
    elseif whole[name] ~= value then
      put(whole, name, value)
    end
  end
  if type(chunk.x_groq) == "table" then note_usage(self, chunk.x_groq.usage) end
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

local function join_ropes(self)
  for _, place in ipairs(self.ropes) do
    local rope = place[1][place[2]]
    if ropes.is(rope) then place[1][place[2]] = rope:text() end
  end
end

-- What was said whole at the end, or beside the deltas, counts where no delta said it.
local function add_repeated(place, message)
  for name, value in next, message or {} do
    if place.message[name] == nil or is_empty(place.message[name]) then place.message[name] = value end
  end
end

local function finish_choice(self, choice)
  local message = choice.message
  add_repeated(choice, self.repeated[choice])
  if type(message.tool_calls) ~= "table" then return end
  tool_calls.complete(message)
  for _, call in ipairs(message.tool_calls) do
    if type(call) == "table" then call.index = nil end
  end
end

-- The reply: the chunks' own fields, and choices with whole messages.
function Collector:value()
  local whole = self.whole
  join_ropes(self)
  for list, state in pairs(self.lists) do
    if state.unsorted then sort_list(list, state.places) end
  end
  table.sort(self.choices, function(a, b) return a.index < b.index end)
  for _, choice in ipairs(self.choices) do finish_choice(self, choice) end
  if self.choices[1] or whole.object == "chat.completion.chunk" then whole.choices = self.choices end
  if whole.object == "chat.completion.chunk" then whole.object = "chat.completion" end
  return whole
end

local function new()
  return setmetatable({
    whole = {}, choices = json.array(), by_index = {}, repeated = {}, ropes = {}, lists = {}, count = 0,
  }, Collector)
end

return { new = new, add_usage = add_usage }
