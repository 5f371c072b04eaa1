-- chunks.lua: what a stream knows of its chunks: fills in what a chat's may lack, joins characters that were
-- split over two of them, and tells whether every choice has ended.
-- Leans on json.lua. Never waits, never fails.

local json = require("llm_gateway.json")

local MAX_PARTIAL_BYTES = 2 ^ 20
local PIECES_A_BLOCK = 1024

-- The text that a chunk adds to choice 0; "" when it adds none.
local function text(chunk)
  for _, choice in ipairs(type(chunk.choices) == "table" and chunk.choices or {}) do
    local delta = type(choice) == "table" and choice.index == 0 and choice.delta
    if type(delta) == "table" and type(delta.content) == "string" then return delta.content end
  end
  return ""
end

-- ---------------------------------------------------------------------------------------------------------
-- Chats

local Chat = {}
Chat.__index = Chat

-- A character beyond the BMP is a pair of escapes, which some servers split over two deltas: the first half is
-- kept for the delta that brings the second.
local function join_halves(self, index, delta, last)
  local kept = self.halves[index] or {}
  for name, value in pairs(delta) do
    if type(value) == "string" then
      local whole, half = json.split_half((kept[name] or "") .. value)
      if last then whole, half = whole .. half, "" end
      kept[name] = half ~= "" and half or nil
      delta[name] = json.mend(whole)
    end
  end
  if last and kept.content then
    delta.content = json.mend(kept.content) .. (delta.content or "")
    kept.content = nil
  end
  self.halves[index] = next(kept) and kept or nil
end

local function read_choice(self, choice, position)
  choice.index = choice.index or position - 1
  if type(choice.delta) ~= "table" then choice.delta = {} end
  if choice.finish_reason ~= nil then
    self.open[choice.index] = nil
  elseif self.open[choice.index] == nil and not self.closed[choice.index] then
    self.open[choice.index] = true
  end
  if choice.finish_reason ~= nil then self.closed[choice.index] = true end
  join_halves(self, choice.index, choice.delta, choice.finish_reason ~= nil)
end

-- A million words would be as many small texts: a block of them becomes one.
local function keep_partial(self, piece)
  if piece == "" or self.partial_length >= MAX_PARTIAL_BYTES then return end
  piece = piece:sub(1, MAX_PARTIAL_BYTES - self.partial_length)
  self.partial_length = self.partial_length + #piece
  table.insert(self.pieces, piece)
  if #self.pieces < PIECES_A_BLOCK then return end
  table.insert(self.blocks, table.concat(self.pieces))
  self.pieces = {}
end

-- Takes a chunk as the server sent it; returns it with `choices`, and each choice with `index` and `delta`.
function Chat:read(chunk)
  if type(chunk.choices) ~= "table" then chunk.choices = {} end
  for position, choice in ipairs(chunk.choices) do
    if type(choice) == "table" then read_choice(self, choice, position) end
  end
  keep_partial(self, text(chunk))
  return chunk
end

-- Whether there was a choice and each one seen has a finish_reason.
function Chat:complete()
  return next(self.closed) ~= nil and next(self.open) == nil
end

-- Choice 0's text so far (its first MiB).
function Chat:partial_text()
  return table.concat(self.blocks) .. table.concat(self.pieces)
end

local function chat()
  return setmetatable({ open = {}, closed = {}, halves = {}, blocks = {}, pieces = {}, partial_length = 0 }, Chat)
end

-- ---------------------------------------------------------------------------------------------------------
-- Anything else: nothing is assumed, so that any end is an end.

local Plain = {}
Plain.__index = Plain

function Plain.read(_, chunk)
  return chunk
end

function Plain.complete()
  return true
end

function Plain.partial_text()
  return nil
end

local function plain()
  return setmetatable({}, Plain)
end

return { chat = chat, plain = plain, text = text }
