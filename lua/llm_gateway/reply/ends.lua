-- reply/ends.lua: how a stream ends: well, by an error that an event brought, or broken off.
-- Works on the stream (see reply/reading.lua), of which it sets ended, err and times. Leans on errors for what to say,
-- and on the loop for who waits. It never waits by itself. What ends a stream returns nil, err: what its reader gets.

local errors = require("llm_gateway.errors")
local fields = require("llm_gateway.http.fields")
local loop_state = require("llm_gateway.loop.state")
local wait = require("llm_gateway.loop.wait")

local M = {}

-- Ends the stream, well or with an error.
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
function M.of_failure(self, facts)
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
function M.of_answer(self)
  if not self.dialect.strict or self.reader.done then return end_with(self) end
  return broken_off(self)
end

-- A chat's [DONE] is its own word for a good end, if anything came before it. Elsewhere it ends the answer.
function M.of_done(self)
  if self.first and not self.dialect.typed then return end_with(self) end
  return M.of_answer(self)
end

-- The text of the event that is being read: no string is made of it unless somebody asks.
local function data_of(self)
  if self.data then return self.data end
  return self.transfer and self.transfer:data() or ""
end

-- An event is an error: `value` is what was decoded, under the name `event`; `fault` what it says, if that is only a
-- part of it.
function M.with_fault(self, value, event, fault)
  local answer = answer_of(self, data_of(self), fault or value, event)
  answer.body = value
  return end_with(self, errors.of_answer(answer))
end

-- An event that cannot be decoded: an error in a form of its own, a chunk cut short, or no JSON at all.
function M.undecodable(self, data, why, unfinished)
  if errors.looks_like_error(data) then return end_with(self, errors.of_answer(answer_of(self, data))) end
  if unfinished and self.reader.done then return end_with(self) end
  if unfinished then return broken_off(self) end
  local shown = errors.redact(data, (asked_with(self))):sub(1, 80)
  return end_with(self, error_of(self, "stream", ("an event could not be decoded (%s): %s"):format(why, shown)))
end

M.with, M.error_of = end_with, error_of

return M
