-- reply/rope.lua: a text that comes in pieces, joined once, so that many pieces take linear time.
-- Leans on nothing. With a limit it keeps the text's beginning alone: a stream must not grow with what was read.

local SHORT = 64 -- bytes: so few need no rope
local PIECES_A_BLOCK = 1024 -- a million words would be as many small texts: a block of them becomes one

local Rope = {}
Rope.__index = Rope

-- A rope is the list of its last pieces, with `blocks` of those before, once there are any.
local function fold(self)
  self.blocks = self.blocks or {}
  self.blocks[#self.blocks + 1] = table.concat(self, "", 1, self.count)
  for i = self.count, 1, -1 do self[i] = nil end
  self.count = 0
end

-- Adds a piece, a text that is not empty.
function Rope:add(piece)
  if self.room <= 0 then return end
  if #piece > self.room then piece = piece:sub(1, self.room) end
  self.room, self.length = self.room - #piece, self.length + #piece
  local count = self.count + 1
  self[count], self.count = piece, count
  if count >= PIECES_A_BLOCK then fold(self) end
end

-- The text so far.
function Rope:text()
  if self.count > 0 then fold(self) end
  local blocks = self.blocks
  if not blocks then return "" end
  if #blocks > 1 then self.blocks = { table.concat(blocks) } end
  return self.blocks[1]
end

-- A new, empty one. limit: the most bytes that are kept (none).
local function new(limit)
  return setmetatable({ count = 0, length = 0, room = limit or math.huge }, Rope)
end

local function is(value)
  return getmetatable(value) == Rope
end

-- The text in into[name] becomes longer by `piece` (anything but text that is not empty is left out): a rope stands in
-- its place until `join`.
local function append(into, name, piece)
  if type(piece) ~= "string" or piece == "" then return end
  local before = into[name]
  if not is(before) then
    into[name] = new()
    if type(before) == "string" and before ~= "" then into[name]:add(before) end
  end
  into[name]:add(piece)
end

-- The same within `limit` bytes, where no table is made for a text that is short; to be read with text_in.
local function extend(into, name, piece, limit)
  local before = into[name] or ""
  if type(before) == "table" then return before:add(piece) end
  piece = before .. piece
  if #piece < SHORT then
    into[name] = piece
  else
    into[name] = new(limit)
    into[name]:add(piece)
  end
end

-- The text that extend has made of into[name]; "" without any.
local function text_in(into, name)
  local text = into[name]
  return is(text) and text:text() or text or ""
end

-- Puts the text in the place of each rope in a table, and in those within it. Returns the table.
local function join(t)
  for name, value in next, t do
    if is(value) then t[name] = value:text() elseif type(value) == "table" then join(value) end
  end
  return t
end

return { new = new, is = is, append = append, join = join, extend = extend, text_in = text_in }
