-- reply/reading.lua: how a stream's events become what is handed over.
-- Leans on a transfer of the C core for events, on json, on the stream's dialect (reply/dialects.lua) for what its
-- events mean, and on reply/ends.lua for its end. The stream (reply/stream.lua) is the table it works on: loop,
-- transfer and asked, or list; dialect, reader, about. It sets first (nil; false once a chunk was asked for; what the
-- first one told), told (the last one with a usage), alike, over (its end was handed over), is_limited, id, data. It
-- never waits by itself: the loop does.

local chunk_reader = require("llm_gateway.reply.chunk_reader")
local core = require("llm_gateway.core")
local ends = require("llm_gateway.reply.ends")
local events = require("llm_gateway.reply.events")
local infos = require("llm_gateway.reply.info")
local json = require("llm_gateway.json")
local wait = require("llm_gateway.loop.wait")

local M = {}

local alike_chunk = core.transfer_methods.alike_chunk
local wait_for = wait.wait_for
local unpack = table.unpack or unpack -- luacheck: read globals unpack

local MAX_PARTIAL_BYTES = chunk_reader.MAX_PARTIAL_BYTES
local LAST_WAIT = 2 -- seconds; how long a stream of which nothing is missing may go on without an event

-- ---------------------------------------------------------------------------------------------------------
-- Events

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
    self.alike, reader.skipped, reader.text = transfer, transfer, false
  elseif is_known == nil then
    reader.looks = false
  end
end

-- Whether a choice that was asked for has not begun. Of chats alone it is known.
local function awaits_choice(reader)
  return (reader.count or 1) > 1 and reader.seen < reader.count
end

-- What an event's value is handed over as.
local function read_value(self, value, name, halves)
  local reader = self.reader
  local chunk, fault = reader:read(value, name, halves)
  if fault then return ends.with_fault(self, value, "error", halves and json.mend_all(fault) or fault) end
  self.first = self.first or infos.first_told(chunk)
  if reader.is_plain or self.alike then remember(self, name) end
  if reader.done and not reader.is_unsure then
    if reader.ended then
      ends.with(self)
    elseif not self.is_limited and self.transfer and not awaits_choice(reader) then
      self.is_limited = true
      self.transfer:limit_events(LAST_WAIT)
    end
  elseif self.is_limited then -- another choice has begun, or one goes on
    self.is_limited = false
    if self.transfer then self.transfer:limit_events(0) end
  end
  if self.dialect.typed then return chunk, name or (type(value.type) == "string" and value.type or "message") end
  return chunk
end

-- An event of an error, whatever its data.
local function read_error(self, value, name, halves)
  if type(value) ~= "table" then value = json.decode(value) elseif halves then json.mend_all(value) end
  return ends.with_fault(self, value, name)
end

-- An event whose data is no JSON table. LiteLLM writes the field's name twice before an error.
local function read_text(self, data, name, why, unfinished)
  if data == "" then return false end
  if is_done_sign(data) then return ends.of_done(self) end
  if data:sub(1, 5) == "data:" then
    local value, _, halves = json.decode(data:sub(6), true)
    if type(value) == "table" then return read_value(self, value, name, halves) end
  end
  return ends.undecodable(self, data, why or "it is no JSON object", unfinished)
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
      return hand_over(self, (name and ends.of_failure or ends.of_answer)(self, name))
    end
    local chunk, second = read_event(self, value, name, third, unfinished)
    if chunk ~= false then return hand_over(self, chunk, second) end
  end
end

-- The next chunk of a transfer's events, as Stream:next returns it. Of one that is like the last nothing is looked at.
function M.next_of_transfer(self)
  local alike = self.alike
  while alike do
    local chunk, id = alike_chunk(alike)
    if chunk then return chunk end
    if chunk == nil then break end
    if not wait_for(self.loop, alike, self, id) then wait.end_cancelled() end
    alike = self.alike
  end
  return read_next(self)
end

-- The text that the chunk which was handed over last adds to the reply; "" for none.
function M.text_of(self, chunk)
  local reader = self.reader
  if reader.text then return reader.text end
  for _, step in ipairs(reader.plain_path) do chunk = chunk[step] end
  return chunk
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
    if name then ends.of_failure(self, name) else ends.of_answer(self) end
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
  if not event then return hand_over(self, ends.with(self)) end
  return hand_over(self, read_value(self, event[1], event[2], false))
end

return M
