-- cuts_answers.lua: recorded answers, and where in their bytes what is complete: for cuts_spec.lua.
-- An answer: name, wire (its bytes), head (how many of these are its head), body(k) (how many of the body's bytes are
-- among the first k), enough (how many bytes make it whole), events (of a stream), http_version, closes (only the
-- connection's end tells the body's).

local M = {}

-- An event's text; `data` is a list of its lines. Two places in it, in bytes: at `data` all of it is there, should the
-- answer end well here; at `seen` its blank line has begun, which ends it.
local function event(data, fields)
  local eol = fields and fields.eol or "\n"
  local text = fields and fields.before or ""
  for _, line in ipairs(data) do text = text .. "data: " .. line .. eol end
  local made = { text = text .. eol, data = #text - #eol, seen = #text + 1, chunk = data[1] ~= "[DONE]" }
  for name, value in pairs(fields or {}) do made[name] = value end
  return made
end

-- Sums up events: each one's places become the body's.
local function body_of(events)
  local body = ""
  for _, one in ipairs(events) do
    one.data, one.seen = #body + one.data, #body + one.seen
    body = body .. one.text
  end
  return body
end

local Wire = {}
Wire.__index = Wire

local function new_wire()
  return setmetatable({ bytes = {}, counts = {}, body_bytes = 0 }, Wire)
end

-- Adds bytes, which are the body's or only carry it.
function Wire:add(text, is_body)
  for byte in text:gmatch(".") do
    table.insert(self.bytes, byte)
    if is_body then self.body_bytes = self.body_bytes + 1 end
    table.insert(self.counts, self.body_bytes)
  end
end

function Wire:answer(fields)
  local counts = self.counts
  fields.wire = table.concat(self.bytes)
  fields.body = function(k) return k == 0 and 0 or counts[k] end
  return fields
end

local function slices(text, size)
  local list = {}
  for at = 1, #text, size do table.insert(list, text:sub(at, at + size - 1)) end
  return list
end

local function over_http1(name, kind, body, fields)
  local wire = new_wire()
  local how = fields.chunked and "Transfer-Encoding: chunked\r\n"
    or fields.closes and "" or ("Content-Length: %d\r\n"):format(#body)
  wire:add("HTTP/1.1 200 OK\r\nContent-Type: " .. kind .. "\r\n" .. how .. "\r\n")
  fields.name, fields.head = name, #wire.bytes
  for _, slice in ipairs(slices(body, fields.chunked or #body)) do
    if fields.chunked then wire:add(("%x\r\n"):format(#slice)) end
    wire:add(slice, true)
    if fields.chunked then wire:add("\r\n") end
  end
  if fields.chunked then wire:add("0\r\n\r\n") end
  fields.enough = fields.chunked and #wire.bytes - 1 or #wire.bytes -- libcurl wants no last line feed
  return wire:answer(fields)
end

local function frame(kind, flags, stream, payload)
  local n = #payload
  return string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256, kind, flags, 0, 0, 0, stream) .. payload
end

-- SETTINGS, their acknowledgement, HEADERS (HPACK without tables: the static :status 200 and content-type), and DATA.
local function over_http2(name, kind, body, fields)
  local wire = new_wire()
  wire:add(frame(4, 0, 0, "") .. frame(4, 1, 0, "")
    .. frame(1, 4, 1, "\136\15\16" .. string.char(#kind) .. kind))
  fields.name, fields.head, fields.http_version = name, #wire.bytes, "2"
  for _, slice in ipairs(slices(body, 50)) do
    local whole = frame(0, 0, 1, slice)
    wire:add(whole:sub(1, 9))
    wire:add(slice, true)
  end
  wire:add(frame(0, 1, 1, ""))
  fields.enough = #wire.bytes
  return wire:answer(fields)
end

local function stream_events()
  return {
    event({ '{"choices":[{"delta":{"content":"1"}}]}' }),
    event({ '{"choices":[{"delta":{"content":" 2"},"finish_reason":"stop"}]}' }, { finishes = true }),
    event({ "[DONE]" }),
  }
end

-- What servers may send and seldom do, within few bytes.
local function rich_events()
  return {
    event({ '{"choices":[', '{"delta":{"content":"\195\169\240\159\152\128"}}]}' },
      { eol = "\r\n", before = ":\r\nid: 7\r\n" }),
    event({ '{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"arguments":"{}"}}]}}]}' },
      { eol = "\r\n" }),
    event({ '{"choices":[{"finish_reason":"stop"}]}' }, { eol = "\r\n", finishes = true }),
    event({ '{"usage":{"total_tokens":3}}' }, { eol = "\r\n" }),
    event({ "[DONE]" }, { eol = "\r\n" }),
  }
end

local REPLY = '{"choices":[{"message":{"content":"\240\159\152\128 yes"},"finish_reason":"stop"}],'
  .. '"usage":{"total_tokens":3}}'

-- The streams: {text, tokens} say what the whole one is.
function M.streams()
  local chunked, rich, framed = stream_events(), rich_events(), rich_events()
  return {
    over_http1("a chunked stream", "text/event-stream", body_of(chunked),
      { chunked = 37, events = chunked, text = "1 2" }),
    over_http1("a stream that ends with its connection", "text/event-stream", body_of(rich),
      { closes = true, events = rich, text = "\195\169\240\159\152\128", arguments = "{}", tokens = 3 }),
    over_http2("a stream over HTTP/2", "text/event-stream", body_of(framed),
      { events = framed, text = "\195\169\240\159\152\128", arguments = "{}", tokens = 3 }),
  }
end

-- The answers that are no streams.
function M.replies()
  return {
    over_http1("a reply with its length", "application/json", REPLY, { text = "\240\159\152\128 yes", tokens = 3 }),
    over_http1("a chunked reply", "application/json", REPLY,
      { chunked = 41, text = "\240\159\152\128 yes", tokens = 3 }),
    over_http2("a reply over HTTP/2", "application/json", REPLY, { text = "\240\159\152\128 yes", tokens = 3 }),
  }
end

return M
