-- reply/partial.lua: stream:partial(): a structured answer as it grows, and at last whole and checked.
-- Leans on reply/ for a stream's chunks and the reply they make, on json/ for what of it is there already.

local coroutines = require("llm_gateway.loop.coroutines")
local json = require("llm_gateway.json")
local reading = require("llm_gateway.reply.reading")
local replies = require("llm_gateway.reply")
local wanted = require("llm_gateway.reply.wanted")

local M = {}

local function check_place()
  if coroutines.for_can_yield or not coroutines.current() then return end
  error("partial: this Lua cannot wait inside `for` in a task: use stream:next()", 3)
end

-- The checked value of the reply that the chunks made; raises what is wrong with it.
local function whole_value(self)
  local reply = wanted.expect_same(self.stream, replies.new(self.whole:value(), self.stream:info()))
  local value, err = replies.parsed(reply)
  if err then error(err, 0) end
  return value
end

-- What is there after one more chunk: nil when that made no difference. A text that is no JSON shows nothing more; what
-- is wrong with it is told at the end.
local function grown(self, chunk, name)
  local text = reading.text_of(self.stream, chunk)
  self.whole:add(chunk, name)
  if text == "" or not self.parser:feed(text) then return nil end
  return self.parser:value()
end

local function next_value(self)
  while not self.is_over do
    local chunk, second = self.stream:next()
    if not chunk then
      self.is_over = true
      if second then error(second, 0) end
      return whole_value(self)
    end
    local value = grown(self, chunk, second)
    if value ~= nil then return value end
  end
end

-- For `for`: the value of a structured answer as it grows (the same table each time, with more in it), and last the
-- whole one, checked as reply:parsed() does. Raises what went wrong.
function M.of(stream)
  local self = { stream = stream, whole = stream.dialect.collector(), parser = json.partial(), is_over = false }
  local function iterate()
    check_place()
    return next_value(self)
  end
  return iterate, nil, nil, stream
end

return M
