-- reply/typed.lua: what the readers of typed events (Responses, Messages) share: an event's kind, the text and the
-- reasoning it brings, characters that were split over two events.
-- Leans on json, reply/faults.lua and reply/rope.lua. chunk_reader.lua says what a reader is.

local chunk_reader = require("llm_gateway.reply.chunk_reader")
local faults = require("llm_gateway.reply.faults")
local json = require("llm_gateway.json")
local ropes = require("llm_gateway.reply.rope")

local M = {}

local Reader = {}
Reader.__index = Reader

-- The kind of an event: its own word for it, else its event's name.
function M.kind(value, name)
  return type(value.type) == "string" and value.type or name
end

-- A text that goes on in later events of the same `slot`: what of it is whole.
function Reader:join(slot, piece)
  local halves = self.halves
  slot = tostring(slot) -- it may be missing, or NaN
  if not self.has_halves and not halves[slot] then return piece end
  local whole, half = json.split_half((halves[slot] or "") .. piece)
  halves[slot] = half ~= "" and half or nil
  return json.mend(whole)
end

-- The event adds to the text, or to the reasoning. Returns the piece.
function Reader:add_text(slot, piece)
  if type(piece) ~= "string" then return piece end
  piece = self:join(slot, piece)
  if piece ~= "" then self.partial:add(piece) end
  self.text = piece
  return piece
end

function Reader:add_reasoning(slot, piece)
  if type(piece) ~= "string" then return piece end
  piece = self:join(slot, piece)
  if piece ~= "" then self.reasoning:add(piece) end
  return piece
end

-- Nothing more is to come.
function Reader:finish()
  self.done, self.ended = true, true
end

function Reader:partial_text() return self.partial:text() end
function Reader:reasoning_text() return self.reasoning:text() end

function Reader:read(value, name, halves)
  local kind = M.kind(value, name)
  local step = self.steps[kind]
  self.text, self.has_halves = "", halves
  local fault
  if step then
    fault = step(self, value)
  elseif kind == nil or kind == "error" or kind == "message" then
    fault = kind == "error" and value or faults.of_other(value, {})
  end
  if halves then json.mend_all(value) end
  return value, fault
end

-- A reader with these steps, by kind: each takes the reader and an event, and returns a fault or nothing. An event of
-- any other kind passes through.
function M.reader(steps)
  return setmetatable({
    steps = steps, text = "", done = false, ended = false, halves = {},
    partial = ropes.new(chunk_reader.MAX_PARTIAL_BYTES), reasoning = ropes.new(chunk_reader.MAX_PARTIAL_BYTES),
  }, Reader)
end

return M
