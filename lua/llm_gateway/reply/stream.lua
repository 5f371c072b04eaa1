-- reply/stream.lua: the thing a user iterates: chunks of a chat, typed events, or whatever else answers with events.
-- Leans on reply/reading.lua for its events, and on a dialect (reply/dialects.lua) for what they mean. It never waits
-- by itself: the loop does.
--
-- A stream ends once, well or with an error, and stays so. Ending well, it lets its connection be used again.

local core = require("llm_gateway.core")
local coroutines = require("llm_gateway.loop.coroutines")
local dialects = require("llm_gateway.reply.dialects")
local ends = require("llm_gateway.reply.ends")
local info_of = require("llm_gateway.reply.info")
local lazy = require("llm_gateway.lazy")
local reading = require("llm_gateway.reply.reading")
local replies = require("llm_gateway.reply")
local wait = require("llm_gateway.loop.wait")
local wanted = require("llm_gateway.reply.wanted")

local partial = lazy("llm_gateway.reply.partial")

local Stream = { is_stream = true }
Stream.__index = Stream

-- Called as functions: to find a method of userdata takes Lua as long as a call.
local methods = core.transfer_methods
local alike_chunk, alike_text, alike_texts = methods.alike_chunk, methods.alike_text, methods.alike_texts

local control = coroutines.control
local next_of_list, next_of_transfer, text_of = reading.next_of_list, reading.next_of_transfer, reading.text_of

local function check_stream(self, name)
  if getmetatable(self) == Stream then return end
  error(("%s: expected a stream, got %s (is it stream:%s()?)"):format(name, type(self), name), 3)
end

-- In a task: lets the others go on. Most often that is a task of the stream's own loop which nobody has cancelled.
local function before_next(self, task, level)
  local loop = self.loop
  if not loop or loop.closed then return end
  if task.cancelled or task.loop ~= loop then wait.enter(loop, level + 1, self) end
  loop.allowance = loop.allowance - 1
  if loop.allowance <= 0 or loop.deadline then wait.yield_turn(loop, self) end
end

-- The next chunk (a table) and, of typed events, its name; nil at the end; nil, err when the stream broke, each time
-- again. In a task the others go on meanwhile.
function Stream:next()
  if getmetatable(self) ~= Stream then check_stream(self, "next") end
  local task = control.task
  if task and (self.alike or not self.ended) then before_next(self, task, 2) end
  if self.alike then return next_of_transfer(self) end -- as nearly always: it is read, and has not ended
  if self.ended then
    self.over = true
    return nil, self.err
  end
  if self.first == nil then self.first = false end
  return (self.loop and next_of_transfer or next_of_list)(self)
end

-- ---------------------------------------------------------------------------------------------------------
-- Iterating

local function check_for(name)
  if not coroutines.for_can_yield and coroutines.current() then
    error(name .. ": this Lua cannot wait inside `for` in a task: use stream:next()", 3)
  end
end

-- A stream that was read to its end has nothing left: a loop over it would do nothing, in silence. And a task of
-- another loop cannot wait for it.
local function check_readable(self, name, level)
  if control.task and self.loop and not self.loop.closed then wait.enter(self.loop, level + 1, self) end
  if not self.over or self.err then return end
  error(name .. ": this stream was read to its end, and can be read once: keep what you need of it, or ask again "
    .. "(stream:collect() in place of the first loop gives the whole reply)", level + 1)
end

-- What `for` calls: the next chunk; raises the error of a broken stream.
function Stream:__call()
  local alike = self.alike
  if alike and not control.task then
    local chunk = alike_chunk(alike)
    if chunk then return chunk end
  end
  check_for("for")
  if self.over or self.first == nil then check_readable(self, "for", 2) end
  local chunk, second = self:next()
  if chunk == nil and second then error(second, 0) end
  return chunk, second
end

-- The text of the next chunk that has any, if it is here and like the last.
local function text_alike(self)
  local alike, text = self.alike, ""
  while alike and text == "" do text = alike_text(alike) end
  return alike and text
end

local function next_text(self)
  local text
  repeat
    if self.alike then
      if control.task then before_next(self, control.task, 3) end
      text = text_alike(self)
      if text then return text end
    end
    local chunk, err = self:next()
    if chunk == nil then
      if err then error(err, 0) end
      return nil
    end
    text = text_of(self, chunk)
  until text ~= ""
  return text
end

-- For `for`: the text of the stream (of a chat, of its first choice), piece by piece. Raises the error of a broken
-- stream.
function Stream:texts()
  check_stream(self, "texts")
  check_readable(self, "texts", 2)
  return function()
    if not control.task then
      local text = text_alike(self)
      if text then return text end
    end
    check_for("texts")
    return next_text(self)
  end, nil, nil, self
end

local function next_event(self)
  if control.task then before_next(self, control.task, 3) end
  if self.ended then
    self.over = true
    if self.err then error(self.err, 0) end
    return nil
  end
  if self.first == nil then self.first = false end
  local event = reading.next_as_it_came(self)
  if event then return event end
  return next_event(self)
end

-- For `for`, and for relays: the events as they came, {event, data, id}; an error's too, and [DONE]. After an error's,
-- or when the stream breaks off, it raises that error.
function Stream:events()
  check_stream(self, "events")
  check_readable(self, "events", 2)
  if self.list then error("events: the gateway answered without events: use next, for or collect()", 2) end
  return function()
    check_for("events")
    return next_event(self)
  end, nil, nil, self
end

-- For `for`: the value of a structured answer as it grows, and last the whole one, checked (see reply/partial.lua).
function Stream:partial()
  check_stream(self, "partial")
  check_readable(self, "partial", 2)
  return partial.of(self)
end

local function info_with(self, body)
  return info_of.with(self.about, self.times or self.transfer and self.transfer:times(), body)
end

-- Reads to the end. Returns the whole reply, as if it had not been streamed (text, tool calls, usage); or nil,
-- err, where err.partial is the text that came. It has to be the first to read the stream.
function Stream:collect()
  check_stream(self, "collect")
  if self.first ~= nil and not self.err then
    local message = self.ended and "the stream was read to its end before: there is nothing left to collect"
      or "a part of the stream was read before: collect() has to be the first to read it"
    return nil, ends.error_of(self, "stream", message .. " (ask again, or keep the chunks)")
  end
  local whole = self.dialect.collector()
  local chunk, second = self:next()
  while chunk do
    whole:add(chunk, second)
    local text = self.alike and whole:takes_text() and alike_texts(self.alike)
    if text then whole:add_text(text) end
    chunk, second = self:next()
  end
  if second then return nil, second end
  local value = whole:value()
  local reply = replies.new(value, info_with(self, value))
  return wanted.expect_same(self, reply)
end

-- What the model thought so far (its first 1 MiB), as text; "" without any.
function Stream:reasoning()
  check_stream(self, "reasoning")
  return self.reader:reasoning_text()
end

for _, name in ipairs({ "text", "raw", "parsed" }) do Stream[name] = replies.refuse_stream(name) end

-- Closes the connection, so that the server stops. A stream that has ended stays as it ended; any other gives
-- the `cancelled` error from now on.
function Stream:close()
  if getmetatable(self) ~= Stream then check_stream(self, "close") end
  if self.ended then return end
  ends.with(self, ends.error_of(self, "cancelled", "the stream was closed before its end"))
end

Stream.__close = Stream.close

-- What reply:info() tells, as far as headers, the first chunk and the last usage tell it; timings so far, or of the
-- whole once it ended.
function Stream:info()
  check_stream(self, "info")
  return info_with(self, info_of.told_by(self.first, self.told))
end

function Stream:__tostring()
  return self.ended and "llm_gateway stream (ended)" or "llm_gateway stream"
end

-- ---------------------------------------------------------------------------------------------------------
-- Beginnings

-- A stream of a transfer's events. `about`: what info() tells. `asked()` returns the call's secrets and its options: a
-- function, so that whoever prints a stream sees no key. `dialect`: one of reply/dialects.lua (chat). Thousands may be
-- open: with what it needs to be read, a stream has eight fields.
local function of_transfer(loop, transfer, about, asked, dialect)
  dialect = dialect or dialects.chat
  return setmetatable({
    loop = loop, transfer = transfer, about = about, asked = asked, dialect = dialect, reader = dialect.reader(),
  }, Stream)
end

-- A stream of events that are here already, each {value, name}.
local function of_list(list, about, times, dialect)
  local self = {
    list = list, about = about, times = times, dialect = dialect, reader = dialect.reader(),
  }
  return setmetatable(self, Stream)
end

-- What the verbs return: as `for` wants it, with the closing value of 5.4.
local function iterator(stream)
  return stream, nil, nil, stream
end

return { of_transfer = of_transfer, of_list = of_list, iterator = iterator }
