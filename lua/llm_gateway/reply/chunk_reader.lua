-- reply/chunk_reader.lua: what a stream knows of its chunks: fills in what a chat's may lack, joins characters
-- that were
-- split over two of them, and tells whether every choice has ended.
-- Leans on json.lua, and on reply.lua for what the text of a content is. Never waits, never fails.

local json = require("llm_gateway.json")
local replies = require("llm_gateway.reply")

local MAX_PARTIAL_BYTES = 2 ^ 20 + 8192 -- an error keeps 1 MiB of it, once the secrets in it are hidden
local PIECES_A_BLOCK = 1024

-- The text that a chunk adds to choice 0; "" when it adds none.
local function text(chunk)
  for _, choice in ipairs(type(chunk.choices) == "table" and chunk.choices or {}) do
    local delta = type(choice) == "table" and choice.index == 0 and choice.delta
    if type(delta) == "table" then return replies.content_text(delta.content) end
  end
  return ""
end

-- ---------------------------------------------------------------------------------------------------------
-- Chats

local Chat = {}
Chat.__index = Chat

-- Some servers write an empty one into every chunk.
local function has_ended(choice)
  local reason = choice.finish_reason
  return reason ~= nil and reason ~= "" and reason ~= false
end

-- One text of a delta: `kept` has the half that its last piece ended with, under the same slot.
local function join_text(kept, slot, piece, last)
  local whole, half = json.split_half((type(kept[slot]) == "string" and kept[slot] or "") .. piece)
  if last then whole, half = whole .. half, "" end
  kept[slot] = half ~= "" and half or nil
  return json.mend(whole)
end

-- Tool calls lie deeper, and name their place in the list by `index`.
local function join_texts(kept, t, last)
  for name, value in pairs(t) do
    if type(value) == "string" then
      t[name] = join_text(kept, name, value, last)
    elseif type(value) == "table" then
      local slot = type(value.index) == "number" and "#" .. value.index or name
      local inner = type(kept[slot]) == "table" and kept[slot] or {}
      join_texts(inner, value, last)
      kept[slot] = next(inner) and inner or nil
    end
  end
end

-- A character beyond the BMP is a pair of escapes, which some servers split over two deltas: the first half is
-- kept for the delta that brings the second. A half that is still alone at the end is one unknown character.
local function join_halves(self, choice)
  local kept, last = self.halves[choice.index] or {}, has_ended(choice)
  join_texts(kept, choice.delta, last)
  for name, half in pairs(last and kept or {}) do
    if type(half) == "string" then choice.delta[name] = json.mend(half) end
  end
  self.halves[choice.index] = not last and next(kept) and kept or nil
end

local function read_choice(self, choice, position)
  if type(choice.index) ~= "number" then choice.index = tonumber(choice.index) or position - 1 end
  local index = choice.index
  if type(choice.delta) == "table" then
    self.has_deltas[index] = true
  else -- some write `message` instead, others repeat all in it at the end
    choice.delta = not self.has_deltas[index] and type(choice.message) == "table" and choice.message or {}
  end
  if has_ended(choice) then
    self.open[index], self.closed[index] = nil, true
  elseif not self.closed[index] then
    self.open[index] = true
  end
end

-- The choices of a chunk that are tables; any other would be a riddle to whoever indexes it.
local function readable(choices)
  local list = json.array()
  for _, choice in ipairs(type(choices) == "table" and choices or {}) do
    if type(choice) == "table" then table.insert(list, choice) end
  end
  return list
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
-- halves: whether a text in it may hold half a character.
function Chat:read(chunk, halves)
  chunk.choices = readable(chunk.choices)
  for position, choice in ipairs(chunk.choices) do
    read_choice(self, choice, position)
    if halves or self.halves[choice.index] then join_halves(self, choice) end
  end
  if halves then json.mend_all(chunk) end
  keep_partial(self, text(chunk))
  return chunk
end

-- Whether there was a choice and each one seen has a finish_reason.
function Chat:complete()
  return next(self.closed) ~= nil and next(self.open) == nil
end

-- The beginning of choice 0's text, somewhat more than an error keeps.
function Chat:partial_text()
  return table.concat(self.blocks) .. table.concat(self.pieces)
end

local function chat()
  return setmetatable({
    open = {}, closed = {}, has_deltas = {}, halves = {}, blocks = {}, pieces = {}, partial_length = 0,
  }, Chat)
end

-- ---------------------------------------------------------------------------------------------------------
-- Anything else: nothing is assumed of it, so that nothing tells when it is complete.

local Plain = {}
Plain.__index = Plain

function Plain.read(_, chunk, halves)
  return halves and json.mend_all(chunk) or chunk
end

function Plain.complete()
  return false
end

function Plain.partial_text()
  return nil
end

local function plain()
  return setmetatable({}, Plain)
end

return { chat = chat, plain = plain, text = text }
