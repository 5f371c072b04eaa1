-- reply/assemble.lua: makes the whole reply of a chat's chunks, in time linear in their number.
-- Leans on json, on reply/deltas.lua, which merges deltas into messages, and on reply/tool_calls.lua. Nothing empty
-- wipes what came. Chunks become its own: their tables are built into the reply.

local content = require("llm_gateway.reply.content")
local deltas = require("llm_gateway.reply.deltas")
local json = require("llm_gateway.json")
local ropes = require("llm_gateway.reply.rope")
local tool_calls = require("llm_gateway.reply.tool_calls")

local is_empty, is_place, merge, merge_value = content.is_empty, tool_calls.is_place, deltas.merge, deltas.merge_value

local Collector = {}
Collector.__index = Collector

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
    merge_value(self.deltas, place, name, place[name], value)
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
      if type(value) == "table" then merge(self.deltas, place.message, value) end
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
  merge_value(self.deltas, message, "content", message.content, text)
end

-- Adds a chunk as a stream hands it over.
function Collector:add(chunk)
  local whole = self.whole
  self.deltas.count = self.deltas.count + 1
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
  deltas.finish(self.deltas)
  table.sort(self.choices, function(a, b) return a.index < b.index end)
  for _, choice in ipairs(self.choices) do finish_choice(self, choice) end
  if self.choices[1] or whole.object == "chat.completion.chunk" then whole.choices = self.choices end
  if whole.object == "chat.completion.chunk" then whole.object = "chat.completion" end
  return whole
end

local function new()
  return setmetatable({
    whole = {}, choices = json.array(), by_index = {}, repeated = {}, deltas = deltas.new(),
  }, Collector)
end

return { new = new, add_usage = add_usage }
