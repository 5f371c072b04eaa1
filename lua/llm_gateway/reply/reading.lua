-- reply/reading.lua: how a stream's events become what is handed over, and how it ends.
-- Leans on a transfer of the C core for events, on json and errors, and on the stream's dialect (reply/dialects.lua)
-- for what its events mean. The stream (reply/stream.lua) is the table it works on: loop, transfer or list, dialect,
-- reader, about, describe; it sets started, ended, err, timings, id. It never waits by itself: the loop does.

local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local loop_state = require("llm_gateway.loop.state")
local wait = require("llm_gateway.loop.wait")

local M = {}

local LAST_WAIT = 2 -- seconds; how long a stream of which nothing is missing may go on without an event

local secrets = setmetatable({}, { __mode = "k" }) -- by stream: whoever prints one sees no key

-- ---------------------------------------------------------------------------------------------------------
-- Ends

-- Ends the stream, well or with an error. Returns nil, err.
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
    kind = kind, message = message, started = self.started, partial = self.reader:partial_text(),
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
    started = self.started, partial = self.reader:partial_text(), attempts = about.attempts, secrets = secrets[self],
  }
end

-- The connection is gone, or a clock ran out. Once every choice has ended nothing is missing.
local function end_of_failure(self, facts)
  if facts.class ~= "closed" and self.reader.done then return end_with(self) end
  facts.streaming, facts.started, facts.partial = true, self.started, self.reader:partial_text()
  return end_with(self, self.describe(facts))
end

local function broken_off(self)
  local message = self.started and "the stream broke off: its last chunk never came"
    or "the answer was an event stream without events"
  return end_with(self, broken(self, message))
end

-- Where nothing tells that it is complete, an orderly end is all that can be asked.
local function end_of_answer(self)
  if not self.dialect.strict or self.reader.done then return end_with(self) end
  return broken_off(self)
end

-- A chat's [DONE] is its own word for a good end, if anything came before it. Elsewhere it ends the answer.
local function end_of_done(self)
  if self.started and not self.dialect.typed then return end_with(self) end
  return end_of_answer(self)
end

-- ---------------------------------------------------------------------------------------------------------
-- Events

local function end_with_fault(self, data, value, event, fault)
  local err = errors.of_answer(answer_of(self, data, fault or value, event))
  if fault and fault ~= value then err.body = errors.redact({ body = value }, secrets[self]).body end
  return end_with(self, err)
end

-- An event that cannot be decoded: an error in a form of its own, a chunk cut short, or no JSON at all.
local function undecodable(self, data, why, unfinished)
  if errors.looks_like_error(data) then return end_with(self, errors.of_answer(answer_of(self, data))) end
  if unfinished and self.reader.done then return end_with(self) end
  if unfinished then return broken_off(self) end
  local shown = errors.redact(data, secrets[self]):sub(1, 80)
  return end_with(self, broken(self, ("an event could not be decoded (%s): %s"):format(why, shown)))
end

-- The value of an event's data. LiteLLM writes the field's name twice before an error.
local function decode(data)
  local value, why, halves = json.decode(data, true)
  if value ~= nil or data:sub(1, 5) ~= "data:" then return value, why, halves end
  return json.decode(data:sub(6), true)
end

local function is_done_sign(data)
  return data:byte(1) ~= 123 and data:find("^%s*%[DONE%]%s*$") ~= nil
end

-- What an event's value is handed over as.
local function read_value(self, value, name, halves, data)
  local reader = self.reader
  local chunk, fault = reader:read(value, name, halves)
  if fault then return end_with_fault(self, data, value, "error", halves and json.mend_all(fault) or fault) end
  self.started = true
  if reader.ended then
    end_with(self)
  elseif reader.done and not self.is_limited and self.transfer then
    self.is_limited = true
    self.transfer:limit_events(LAST_WAIT)
  end
  if self.dialect.typed then return chunk, name or (type(value.type) == "string" and value.type or "message") end
  return chunk
end

-- Reads one event. Returns a chunk and the event's name; false when it carries none; or nil, err at the end.
local function read_event(self, data, name, unfinished)
  if name ~= "error" then
    if data == "" then return false end
    if is_done_sign(data) then return end_of_done(self) end
  end
  local value, why, halves = decode(data)
  if name == "error" then
    if halves then value = json.mend_all(value) end
    return end_with_fault(self, data, value, name)
  end
  if type(value) ~= "table" then return undecodable(self, data, why or "it is no JSON object", unfinished) end
  return read_value(self, value, name, halves, data)
end

local function pull(self)
  if self.ended then return nil, nil, true end
  local data, name, unfinished, id = self.transfer:pull()
  self.id = id
  return data, name, unfinished
end

-- The next event as it came: data, name, unfinished; nil at the end, which is noted.
local function take_event(self)
  local data, name, unfinished = wait.await(self.loop, self.transfer, self, pull)
  if data ~= nil or self.ended then return data, name, unfinished end
  if name then end_of_failure(self, name) else end_of_answer(self) end
end

-- The next chunk of a transfer's events, as Stream:next returns it.
function M.next_of_transfer(self)
  while true do
    local data, name, unfinished = take_event(self)
    if data == nil then return nil, self.err end
    local chunk, second = read_event(self, data, name, unfinished)
    if chunk ~= false then return chunk, second end
  end
end

-- The same of events that are here already.
function M.next_of_list(self)
  local event = table.remove(self.list, 1)
  if not event then return end_with(self) end
  return read_value(self, event[1], event[2], false, "")
end

-- Whose keys a stream's errors are not to show.
function M.hide(self, hidden)
  secrets[self] = hidden
end

M.end_with, M.error_of, M.take_event, M.read_event = end_with, error_of, take_event, read_event

return M
