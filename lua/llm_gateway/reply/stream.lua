-- reply/stream.lua: the thing a user iterates: chunks of a chat, or of whatever else answers with events.
-- Leans on a transfer of the C core for events, on json.lua and errors.lua, and on chunks.lua for what a chat's
-- chunks are. It never waits by itself: the loop does.
--
-- A stream ends once, well or with an error, and stays so. Ending well, it lets its connection be used again.

local chunks = require("llm_gateway.reply.chunk_reader")
local collector = require("llm_gateway.reply.assemble")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local structured = require("llm_gateway.helpers.structured")
local coroutines = require("llm_gateway.loop.coroutines")
local loop_state = require("llm_gateway.loop.state")
local wait = require("llm_gateway.loop.wait")

local Stream = {}
Stream.__index = Stream

local secrets = setmetatable({}, { __mode = "k" }) -- by stream: whoever prints one sees no key

local function check_stream(self, name)
  if getmetatable(self) == Stream then return end
  error(("%s: expected a stream, got %s (is it stream:%s()?)"):format(name, type(self), name), 3)
end

-- ---------------------------------------------------------------------------------------------------------
-- Ends

local function end_with(self, err)
  self.ended, self.err = true, err
  local transfer = self.transfer
  if not transfer then return nil, err end
  self.timings = transfer:timings()
  self.transfer = nil
  wait.wake_waiter(self.loop, transfer)
  if err then transfer:close() else transfer:release() end
  if not self.loop.closed then loop_state.mark_busy(self.loop) end
  return nil, err
end

-- An error of the stream itself, with what it has from its answer and without the client's keys.
local function error_of(self, kind, message)
  local about = self.about
  return errors.new(errors.redact({
    kind = kind, message = message, started = self.started, partial = self.chunks:partial_text(),
    request_id = about.request_id, headers = about.headers, attempts = about.attempts,
  }, secrets[self]))
end

local function broken(self, message)
  return error_of(self, "stream", message)
end

local function answer_of(self, text, value, event)
  local about = self.about
  return {
    status = about.status, headers = about.headers, text = text, value = value, event = event, in_stream = true,
    started = self.started, partial = self.chunks:partial_text(), attempts = about.attempts, secrets = secrets[self],
  }
end

-- The connection is gone, or a clock ran out. Once every choice has ended nothing is missing.
local function end_of_failure(self, facts)
  if facts.class ~= "closed" and self.chunks:complete() then return end_with(self) end
  facts.streaming, facts.started, facts.partial = true, self.started, self.chunks:partial_text()
  return end_with(self, self.describe(facts))
end

local function broken_off(self)
  local message = self.started and "the stream broke off: its last chunk never came"
    or "the answer was an event stream without events"
  return end_with(self, broken(self, message))
end

-- Of what is no chat, an orderly end is all that can be asked.
local function end_of_answer(self)
  if self.plain or self.chunks:complete() then return end_with(self) end
  return broken_off(self)
end

-- ---------------------------------------------------------------------------------------------------------
-- Events

-- An event that cannot be decoded: an error in a form of its own, a chunk cut short, or no JSON at all.
local function undecodable(self, data, why, unfinished)
  if errors.looks_like_error(data) then return end_with(self, errors.of_answer(answer_of(self, data))) end
  if unfinished and self.chunks:complete() then return end_with(self) end
  if unfinished then return broken_off(self) end
  local shown = errors.redact(data, secrets[self]):sub(1, 80)
  return end_with(self, broken(self, ("an event could not be decoded (%s): %s"):format(why, shown)))
end

-- Reads one event. Returns a chunk and the event's name; nothing when it carries none; or nil, err at the end.
local function read_event(self, data, name, unfinished)
  if data == "" and name ~= "error" then return false end
  if data:find("^%s*%[DONE%]%s*$") and name ~= "error" then return end_with(self) end
  local value, why, halves = json.decode(data, true)
  if name == "error" or (type(value) == "table" and errors.is_error_body(value)) then
    if halves then value = json.mend_all(value) end
    return end_with(self, errors.of_answer(answer_of(self, data, value, name)))
  end
  if type(value) ~= "table" then return undecodable(self, data, why or "it is no JSON object", unfinished) end
  self.started = true
  return self.chunks:read(value, halves), self.plain and (name or "message") or nil
end

local function pull(self)
  if self.ended then return nil, nil, true end
  local data, name, unfinished = self.transfer:pull()
  if data == nil and name then return nil, name end
  return data, name, unfinished
end

local function next_of_transfer(self)
  while true do
    local data, name, unfinished = wait.await(self.loop, self.transfer, self, pull)
    if self.ended then return nil, self.err end
    if data == nil then
      if name then return end_of_failure(self, name) end
      return end_of_answer(self)
    end
    local chunk, second = read_event(self, data, name, unfinished)
    if chunk ~= false then return chunk, second end
  end
end

local function next_of_list(self)
  local chunk = table.remove(self.list, 1)
  if not chunk then return end_with(self) end
  self.started = true
  return chunk
end

-- The next chunk (a table) and, of streams that are no chat, its event's name; nil at the end; nil, err when the
-- stream broke, each time again. In a task the others go on meanwhile.
function Stream:next()
  check_stream(self, "next")
  if self.ended then return nil, self.err end
  if self.list then return next_of_list(self) end
  if not self.loop.closed then
    wait.enter(self.loop, 2, self)
    wait.yield_turn(self.loop, self)
  end
  if self.ended then return nil, self.err end
  return next_of_transfer(self)
end

-- ---------------------------------------------------------------------------------------------------------
-- Iterating

local function check_for(name)
  if not coroutines.for_can_yield and coroutines.current() then
    error(name .. ": this Lua cannot wait inside `for` in a task: use stream:next()", 3)
  end
end

-- What `for` calls: the next chunk; raises the error of a broken stream.
function Stream:__call()
  check_for("for")
  local chunk, second = self:next()
  if chunk == nil and second then error(second, 0) end
  return chunk, second
end

-- For `for`: the text of choice 0, piece by piece. Raises the error of a broken stream.
function Stream:texts()
  check_stream(self, "texts")
  local function next_text()
    check_for("texts")
    while true do
      local chunk, err = self:next()
      if chunk == nil then
        if err then error(err, 0) end
        return nil
      end
      local text = chunks.text(chunk)
      if text ~= "" then return text end
    end
  end
  return next_text, nil, nil, self
end

-- Reads to the end. Returns the whole reply, as if it had not been streamed (text, tool calls, usage); or nil,
-- err, where err.partial is the text that came. Of a stream that was read before, it is what was left.
function Stream:collect()
  check_stream(self, "collect")
  if self.ended and not self.err and self.started then
    return nil, error_of(self, "stream", "the stream was read to its end before: there is nothing left to collect")
  end
  local whole = collector.new()
  local chunk, err = self:next()
  while chunk do
    whole:add(chunk)
    chunk, err = self:next()
  end
  if err then return nil, err end
  return structured.expect_same(self, whole:reply(self:info()))
end

-- Closes the connection, so that the server stops. A stream that has ended stays as it ended; any other gives
-- the `cancelled` error from now on.
function Stream:close()
  if getmetatable(self) ~= Stream then check_stream(self, "close") end
  if self.ended then return end
  end_with(self, error_of(self, "cancelled", "the stream was closed before its end"))
end

Stream.__close = Stream.close

-- {status, headers, request_id, attempts, timings}: timings so far, or of the whole once it has ended.
function Stream:info()
  check_stream(self, "info")
  local info = {}
  for name, value in pairs(self.about) do info[name] = value end
  info.timings = self.timings or self.transfer and self.transfer:timings()
  return info
end

function Stream:__tostring()
  return self.ended and "llm_gateway stream (ended)" or "llm_gateway stream"
end

-- ---------------------------------------------------------------------------------------------------------
-- Beginnings

-- A stream of a transfer's events. `about`: what info() tells. `hidden`: the call's secrets. `describe(facts)` makes
-- an error of the core's facts. `plain`: nothing is assumed of the chunks.
local function of_transfer(loop, transfer, about, hidden, describe, plain)
  local self = {
    loop = loop, transfer = transfer, about = about, describe = describe, started = false, ended = false,
    chunks = plain and chunks.plain() or chunks.chat(), plain = plain,
  }
  secrets[self] = hidden
  return setmetatable(self, Stream)
end

-- A stream of chunks that are here already.
local function of_list(list, about, timings)
  local self = { list = list, about = about, timings = timings, ended = false, chunks = chunks.plain() }
  return setmetatable(self, Stream)
end

-- What the verbs return: as `for` wants it, with the closing value of 5.4.
local function iterator(stream)
  return stream, nil, nil, stream
end

return { of_transfer = of_transfer, of_list = of_list, iterator = iterator }
