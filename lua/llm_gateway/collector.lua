-- collector.lua: makes the whole reply of a chat's chunks.
-- Leans on reply.lua.

local replies = require("llm_gateway.reply")

local Collector = {}
Collector.__index = Collector

-- These are said once; a server may repeat them. Every other text is a piece of a longer one.
local SAID_ONCE = { role = true, id = true, type = true, name = true, format = true }

local merge

-- Lists of a delta (tool calls) name their place by `index`, from 0.
local function merge_list(into, list)
  for position, item in ipairs(list) do
    local place = type(item) == "table" and type(item.index) == "number" and item.index + 1
    if place then
      into[place] = merge(into[place] or {}, item)
    else
      into[#into + 1] = list[position]
    end
  end
  return into
end

local function merge_value(old, name, value)
  if type(value) == "string" and type(old) == "string" and not SAID_ONCE[name] then return old .. value end
  if type(value) ~= "table" then return (value ~= "" or old == nil) and value or old end
  local into = type(old) == "table" and old or {}
  return value[1] ~= nil and merge_list(into, value) or merge(into, value)
end

function merge(into, delta)
  for name, value in pairs(delta) do into[name] = merge_value(into[name], name, value) end
  return into
end

local function add_choice(self, choice)
  local place = self.by_index[choice.index]
  if not place then
    place = { index = choice.index, message = { role = "assistant" } }
    self.by_index[choice.index] = place
    table.insert(self.choices, place)
  end
  merge(place.message, choice.delta)
  for name, value in pairs(choice) do
    if name ~= "delta" and name ~= "index" then place[name] = value end
  end
end

-- Adds a chunk as a stream hands it over.
function Collector:add(chunk)
  for name, value in pairs(chunk) do
    if name ~= "choices" then self.whole[name] = value end
  end
  for _, choice in ipairs(chunk.choices or {}) do add_choice(self, choice) end
end

local function without_places(message)
  for _, call in ipairs(message.tool_calls or {}) do call.index = nil end
end

-- The reply: the chunks' own fields, and choices with whole messages.
function Collector:reply(info)
  local whole = self.whole
  table.sort(self.choices, function(a, b) return a.index < b.index end)
  for _, choice in ipairs(self.choices) do without_places(choice.message) end
  if self.choices[1] or whole.object == "chat.completion.chunk" then whole.choices = self.choices end
  if whole.object == "chat.completion.chunk" then whole.object = "chat.completion" end
  return replies.new(whole, info)
end

local function new()
  return setmetatable({ whole = {}, choices = {}, by_index = {} }, Collector)
end

return { new = new }
