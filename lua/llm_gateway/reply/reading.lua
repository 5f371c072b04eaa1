-- reply/reading.lua: how a stream's events become what is handed over, and how it ends.
-- Leans on a transfer of the C core for events, on json and errors, and on the stream's dialect (reply/dialects.lua)
-- for what its events mean. The stream (reply/stream.lua) is the table it works on: loop, transfer and asked, or list;
-- dialect, reader, about. It sets first (nil; false once a chunk was asked for; what the first one told), told (the
-- last one with a usage), alike, ended, err, times, over (its end was handed over), is_limited, id, data. It never
-- waits by itself: the loop does.

local chunk_reader = require("llm_gateway.reply.chunk_reader")
local errors = require("llm_gateway.errors")
local events = require("llm_gateway.reply.events")
local fields = require("llm_gateway.http.fields")
local infos = require("llm_gateway.reply.info")
local json = require("llm_gateway.json")
local loop_state = require("llm_gateway.loop.state")
local wait = require("llm_gateway.loop.wait")

local M = {}

local wait_for = wait.wait_for
local unpack = table.unpack or unpack -- luacheck: read globals unpack

local MAX_PARTIAL_BYTES = chunk_reader.MAX_PARTIAL_BYTES
local LAST_WAIT = 2 -- seconds; how long a stream of which nothing is missing may go on without an event

-- ---------------------------------------------------------------------------------------------------------
-- Ends

-- Ends the stream, well or with an error. Returns nil, err.
local function end_with(self, err)
  self.ended, self.err, self.alike = true, err, nil
  local transfer = self.transfer
  if not transfer then return nil, err end
  self.times = transfer:times()
  self.transfer = nil
  wait.wake_waiter(self.loop, transfer)
  if err then transfer:close() else transfer:release() end
  if not self.loop.closed then loop_state.mark_busy(self.loop) end
  return nil, err
end

-- The secrets and the options of the call, if there was one.
local function asked_with(self)
  if self.asked then return self.asked() end
end

-- An error of the stream itself, with what it has from its answer and without the client's keys.
local function error_of(self, kind, message)
  local about = self.about
  local secrets, options = asked_with(self)
  return errors.new(errors.redact({
    kind = kind, message = message, started = not not self.first, partial = self.reader:partial_text(),
    request_id = errors.request_id(nil, fields.of(about), options and options.profile), headers = about.headers,
    attempts = about.attempts,
  }, secrets))
end

local function answer_of(self, text, value, event)
  local about = self.about
  local secrets, options = asked_with(self)
  return {
    status = about.status, headers = fields.of(about), text = text, value = value, event = event, in_stream = true,
    started = not not self.first, partial = self.reader:partial_text(), attempts = about.attempts,
    secrets = secrets, profile = options and options.profile,
  }
end

-- The connection is gone, or a clock ran out. Once every choice has ended nothing is missing.
local function end_of_failure(self, facts)
  if facts.class ~= "closed" and self.reader.done then return end_with(self) end
  local call = { attempts = self.about.attempts, head = self.about.head }
  call.secrets, call.options = asked_with(self)
  facts.streaming, facts.started, facts.partial = true, not not self.first, self.reader:partial_text()
  return end_with(self, errors.of_call(call, facts))
end

local function broken_off(self)
  local message = self.first and "the stream broke off: its last chunk never came"
    or "the answer was an event stream without events"
  return end_with(self, error_of(self, "stream", message))
end

-- Where nothing tells that it is complete, an orderly end is all that can be asked.
local function end_of_answer(self)
  if not self.dialect.strict or self.reader.done then return end_with(self) end
  return broken_off(self)
end

-- A chat's [DONE] is its own word for a good end, if anything came before it. Elsewhere it ends the answer.
local function end_of_done(self)
  if self.first and not self.dialect.typed then return end_with(self) end
  return end_of_answer(self)
end

-- ---------------------------------------------------------------------------------------------------------
-- Events

-- The text of the event that is being read: no string is made of it unless somebody asks.
local function data_of(self)
  if self.data then return self.data end
  return self.transfer and self.transfer:data() or ""
end

local function end_with_fault(self, value, event, fault)
  local answer = answer_of(self, data_of(self), fault or value, event)
  answer.body = value
  return end_with(self, errors.of_answer(answer))
end

-- An event that cannot be decoded: an error in a form of its own, a chunk cut short, or no JSON at all.
local function undecodable(self, data, why, unfinished)
  if errors.looks_like_error(data) then return end_with(self, errors.of_answer(answer_of(self, data))) end
  if unfinished and self.reader.done then return end_with(self) end
  if unfinished then return broken_off(self) end
  local shown = errors.redact(data, (asked_with(self))):sub(1, 80)
  return end_with(self, error_of(self, "stream", ("an event could not be decoded (%s): %s"):format(why, shown)))
end

local function is_done_sign(data)
  return data:byte(1) ~= 123 and data:find("^%s*%[DONE%]%s*$") ~= nil
end

-- Events that are like this one need not be read: `alike` is the transfer while it may have such (see src/lalike.h).
-- What was not asked of the transfer's chunk() is not kept there.
local function remember(self, name)
  local reader, transfer = self.reader, self.transfer
  self.alike = nil
  if not reader.is_plain or name or self.data or not transfer then return end
  local is_known = transfer:learn(MAX_PARTIAL_BYTES, reader.padding, unpack(reader.plain_path))
  if is_known then
    self.alike, reader.skipped = transfer, transfer
  elseif is_known == nil then
    reader.looks = false
  end
end

-- What an event's value is handed over as.
local function read_value(self, value, name, halves)
  local reader = self.reader
  local chunk, fault = reader:read(value, name, halves)
  if fault then return end_with_fault(self, value, "error", halves and json.mend_all(fault) or fault) end
  self.first = self.first or infos.first_told(chunk)
  if reader.is_plain or self.alike then remember(self, name) end
  if reader.done then
    if reader.ended then
      end_with(self)
    elseif not self.is_limited and self.transfer then
      self.is_limited = true
      self.transfer:limit_events(LAST_WAIT)
    end
  end
  if self.dialect.typed then return chunk, name or (type(value.type) == "string" and value.type or "message") end
  return chunk
end

-- An event of an error, whatever its data.
local function read_error(self, value, name, halves)
  if type(value) ~= "table" then value = json.decode(value) elseif halves then json.mend_all(value) end
  return end_with_fault(self, value, name)
end

-- An event whose data is no JSON table. LiteLLM writes the field's name twice before an error.
local function read_text(self, data, name, why, unfinished)
  if data == "" then return false end
  if is_done_sign(data) then return end_of_done(self) end
  if data:sub(1, 5) == "data:" then
    local value, _, halves = json.decode(data:sub(6), true)
    if type(value) == "table" then return read_value(self, value, name, halves) end
  end
  return undecodable(self, data, why or "it is no JSON object", unfinished)
end

-- Reads an event as a transfer's chunk() gives it. Returns a chunk and the event's name; false when it carries none;
-- or nil, err at the end.
local function read_event(self, value, name, third, unfinished)
  if name == "error" then return read_error(self, value, name, third) end
  if type(value) == "table" then return read_value(self, value, name, third) end
  return read_text(self, value, name, third, unfinished)
end

-- What is handed over leaves its marks.
local function hand_over(self, chunk, second)
  if chunk == nil then self.over = true elseif chunk.usage ~= nil or chunk.response ~= nil then self.told = chunk end
  return chunk, second
end

local function pull_chunk(self)
  if not self.ended then return self.transfer:chunk() end
end

-- The next chunk that is not like the last.
local function read_next(self)
  while true do
    local value, name, third, unfinished = wait.await(self.loop, self.transfer, self, pull_chunk)
    if value == nil then
      if self.ended then return hand_over(self, nil, self.err) end
      return hand_over(self, (name and end_of_failure or end_of_answer)(self, name))
    end
    local chunk, second = read_event(self, value, name, third, unfinished)
    if chunk ~= false then return hand_over(self, chunk, second) end
  end
end

-- The next chunk of a transfer's events, as Stream:next returns it. Of one that is like the last nothing is looked at.
function M.next_of_transfer(self)
  local alike = self.alike
  while alike do
    local chunk, text = alike:alike_chunk()
    if chunk then
      self.reader.text = text
      return chunk
    end
    if chunk == nil then break end
    if not wait_for(self.loop, alike, self, text) then wait.end_cancelled() end -- in place of a text: the transfer's id
    alike = self.alike
  end
  return read_next(self)
end

local function pull_data(self)
  if self.ended then return nil end
  local data, name, unfinished, id = self.transfer:pull()
  self.id = id or ""
  return data, name, unfinished
end

-- The next event as it came, {event, data, id}, after which the stream may have ended; nil when it has.
function M.next_as_it_came(self)
  local data, name, unfinished = wait.await(self.loop, self.transfer, self, pull_data)
  if data == nil then
    if self.ended then return nil end
    if name then end_of_failure(self, name) else end_of_answer(self) end
    return nil
  end
  local id = self.id
  self.data = data
  read_event(self, events.decoded(data, name, unfinished))
  self.data = nil
  return { event = name or "message", data = data, id = id }
end

-- The next of events that are here already.
function M.next_of_list(self)
  local event = table.remove(self.list, 1)
  if not event then return hand_over(self, end_with(self)) end
  return hand_over(self, read_value(self, event[1], event[2], false))
end

M.end_with, M.error_of = end_with, error_of

return M
