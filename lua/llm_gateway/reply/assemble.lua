-- reply/assemble.lua: makes the whole reply of a chat's chunks.
-- Leans on json.lua and reply.lua.

local json = require("llm_gateway.json")
local replies = require("llm_gateway.reply")

local Collector = {}
Collector.__index = Collector

-- These are said once; a server may repeat them, or make up others. Every other text is a piece of a longer one.
local SAID_ONCE = { role = true, id = true, type = true, format = true }

local merge

local function is_said(text)
  return text ~= nil and text ~= ""
end

-- A piece of a tool call that says neither which nor what it is goes on with the last one.
local function continues(item)
  local called = item["function"]
  return type(called) == "table" and not is_said(item.id) and not is_said(called.name)
end

-- Where the list has the tool call that an item without an index goes on with: one of the same id, or the last.
local function place_of_piece(into, item)
  if into[1] == nil or type(item) ~= "table" or item["function"] == nil then return nil end
  if continues(item) then return #into end
  for place, earlier in ipairs(is_said(item.id) and into or {}) do
    if type(earlier) == "table" and earlier.id == item.id then return place end
  end
end

-- Some servers give every tool call the index 0. Another id with a name is another call; another id alone is not, for
-- some servers make up a new one for each piece.
local function is_another(old, item)
  local called = item["function"]
  local is_begun = type(old) == "table" and is_said(old.id)
  return is_begun and type(item.id) == "string" and is_said(item.id) and item.id ~= old.id
    and type(called) == "table" and type(called.name) == "string" and is_said(called.name)
end

local STEP = 2 ^ -16 -- between the places of calls that share an index: closed_up numbers them anew
local latest = setmetatable({}, { __mode = "k" }) -- by list: by index, where such a call is

-- Where an item belongs that names its place by `index`, from 0; nil when it names none.
local function place_by_index(into, item)
  if type(item) ~= "table" or type(item.index) ~= "number" then return nil end
  local places = latest[into] or {}
  local place = places[item.index] or item.index + 1
  if is_another(into[place], item) then
    place = place + STEP
    places[item.index], latest[into] = place, places
  end
  return place
end

-- Lists of a delta: tool calls, and others whose items are just added.
local function merge_list(into, list)
  for _, item in ipairs(list) do
    local place = place_by_index(into, item) or place_of_piece(into, item)
    if place then
      into[place] = merge(type(into[place]) == "table" and into[place] or {}, item)
    else
      into[#into + 1] = item
    end
  end
  return into
end

-- A name may come in pieces too, and some servers say it in each of them.
local function merge_text(old, name, value)
  if SAID_ONCE[name] or (name == "name" and value == old) then return old end
  return old .. value
end

-- Content is text, or a list of parts; a server may change its mind.
local function as_parts(content)
  return { { type = "text", text = content } }
end

local function merge_table(old, name, value)
  if name == "content" and type(old) == "string" and old ~= "" then old = as_parts(old) end
  if name == "tool_calls" and value[1] == nil and next(value) ~= nil then value = { value } end
  local into = type(old) == "table" and old or setmetatable({}, getmetatable(value))
  return value[1] ~= nil and merge_list(into, value) or merge(into, value)
end

local function merge_value(old, name, value)
  if type(value) == "table" then return merge_table(old, name, value) end
  if value == "" and old ~= nil then return old end
  if type(value) ~= "string" or not is_said(old) then return value end
  if type(old) == "string" then return merge_text(old, name, value) end
  if name == "content" and type(old) == "table" then return merge_list(old, as_parts(value)) end
  return value
end

function merge(into, delta)
  for name, value in pairs(delta) do into[name] = merge_value(into[name], name, value) end
  return into
end

-- The last word counts, unless it is empty.
local function put(into, name, value)
  if value ~= "" or into[name] == nil then into[name] = value end
end

local function place_of(self, index)
  local place = self.by_index[index]
  if place then return place end
  place = { index = index, message = { role = "assistant" } }
  self.by_index[index] = place
  table.insert(self.choices, place)
  return place
end

-- Of streams that are no chat nothing is known: their choices may lack index and delta, and have `text`.
local function add_choice(self, choice, position)
  local place = place_of(self, type(choice.index) == "number" and choice.index or position - 1)
  if type(choice.delta) == "table" then merge(place.message, choice.delta) end
  for name, value in pairs(choice) do
    if name == "text" or name == "logprobs" then
      place[name] = merge_value(place[name], name, value)
    elseif name == "message" then
      if type(value) == "table" and value ~= choice.delta then place.message = value end
    elseif name ~= "delta" and name ~= "index" then
      put(place, name, value)
    end
  end
end

-- Adds a chunk as a stream hands it over.
function Collector:add(chunk)
  local choices = chunk.choices
  for name, value in pairs(chunk) do
    if name ~= "choices" then put(self.whole, name, value) end
  end
  for position, choice in ipairs(type(choices) == "table" and choices or {}) do
    if type(choice) == "table" then add_choice(self, choice, position) end
  end
end

-- A server may count its calls from 1, or leave numbers out: the list is to have no hole.
local function closed_up(list)
  local places, whole = {}, {}
  for place in pairs(list) do
    if type(place) == "number" then table.insert(places, place) end
  end
  table.sort(places)
  for i, place in ipairs(places) do whole[i] = list[place] end
  return setmetatable(whole, getmetatable(list))
end

local function tidy(message)
  if type(message.tool_calls) ~= "table" then return end
  message.tool_calls = closed_up(message.tool_calls)
  for _, call in ipairs(message.tool_calls) do
    if type(call) == "table" then call.index = nil end
  end
end

-- The reply: the chunks' own fields, and choices with whole messages.
function Collector:reply(info)
  local whole = self.whole
  table.sort(self.choices, function(a, b) return a.index < b.index end)
  for _, choice in ipairs(self.choices) do tidy(choice.message) end
  if self.choices[1] or whole.object == "chat.completion.chunk" then whole.choices = self.choices end
  if whole.object == "chat.completion.chunk" then whole.object = "chat.completion" end
  return replies.new(whole, info)
end

local function new()
  return setmetatable({ whole = {}, choices = json.array(), by_index = {} }, Collector)
end

return { new = new }
