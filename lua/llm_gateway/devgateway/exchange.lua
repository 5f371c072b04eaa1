-- devgateway/exchange.lua: one request to the development gateway and its answer, over HTTP/1.1 or HTTP/2.
-- Leans on lua-http's streams, cqueues, json and refusals.
-- Never touches the raw socket but to see whether the client has gone (raw.lua does the rest).

local cqueues = require("cqueues")
local errno = require("cqueues.errno")
local new_headers = require("http.headers").new
local json = require("llm_gateway.devgateway.json")
local refusals = require("llm_gateway.devgateway.refusals")

local READ_TIMEOUT = 60

local Exchange = {}
Exchange.__index = Exchange

local HIDDEN = { [":method"] = true, [":path"] = true, [":scheme"] = true }

local function header_list(received)
  local list = {}
  for name, value in received:each() do
    if not HIDDEN[name] then
      list[#list + 1] = { name = name == ":authority" and "host" or name, value = value }
    end
  end
  return json.array(list)
end

-- The value of a request header (its name in lower case), or nil.
function Exchange:header(name)
  for _, header in ipairs(self.headers) do
    if header.name == name then return header.value end
  end
  return nil
end

local function write_head(self, status, fields)
  local headers = new_headers()
  headers:append(":status", ("%d"):format(status))
  if not self.bare then headers:append("x-request-id", self.request_id) end
  for name, value in pairs(fields or {}) do headers:append(name:lower(), value) end
  for name, value in pairs(self.extra_headers) do headers:append(name, value) end
  self.status = status
  return self.http:write_headers(headers, false)
end

-- Answers with a status, a body's text and headers by name, and ends the exchange.
function Exchange:answer(status, text, fields)
  local head = { ["content-length"] = ("%d"):format(#text) }
  for name, value in pairs(fields or {}) do head[name:lower()] = value end
  if write_head(self, status, head) then self.http:write_chunk(text, true) end
end

-- Answers with `size` bytes, so many at a time, that are never in memory together.
function Exchange:answer_in_pieces(status, size, piece_size, fields)
  local head = { ["content-length"] = ("%d"):format(size) }
  for name, value in pairs(fields) do head[name] = value end
  local going_on, piece = write_head(self, status, head), ("\0\255abc123"):rep(piece_size / 8)
  while going_on and size > 0 do
    local text = piece:sub(1, size)
    size = size - #text
    going_on = self.http:write_chunk(text, size == 0)
  end
end

-- Answers with a value as JSON.
function Exchange:reply(status, value, fields)
  local head = { ["content-type"] = "application/json" }
  for name, field in pairs(fields or {}) do head[name] = field end
  self:answer(status, assert(json.encode(value)), head)
end

-- Answers with a refusal in the gateway's dialect.
function Exchange:refuse(refusal, streaming)
  self:reply(refusals.word(refusal, self.dialect, self.request_id, streaming))
end

-- Begins an event stream, or another that is of that content type. Returns false when the client is gone.
function Exchange:open_events(content_type)
  self.streaming = true
  self.counters.streams_open = self.counters.streams_open + 1
  local fields = { ["content-type"] = content_type or "text/event-stream", ["cache-control"] = "no-cache" }
  return write_head(self, 200, fields) ~= nil
end

-- Sends bytes of a stream as they are. Returns false when the client is gone.
function Exchange:send_bytes(bytes)
  return self.http:write_chunk(bytes, false) ~= nil
end

-- Sends one event whose data is a text, perhaps under a name. Returns false when the client is gone.
function Exchange:send(data, name)
  local field = name and "event: " .. name .. "\n" or ""
  return self:send_bytes(field .. "data: " .. data .. "\n\n")
end

-- Ends a stream whose last event told that it is the last, or which has none.
function Exchange:end_events()
  self.finished = self.http:write_chunk("", true) ~= nil
end

-- Ends a chat's event stream as it should end.
function Exchange:close_events()
  if self:send("[DONE]") then self:end_events() end
end

-- A half-closed connection counts as gone too: nobody who wants an answer hangs up.
local function hung_up(socket)
  if socket:pending() > 0 then return false end
  local ok, _, code = socket:fill(1, 0)
  return not ok and code ~= errno.ETIMEDOUT
end

local function watch(socket, seconds)
  local deadline = cqueues.monotime() + seconds
  local signs = { pollfd = socket:pollfd(), events = "r" }
  repeat
    if hung_up(socket) then return false end
    local left = deadline - cqueues.monotime()
    if left > 0 and socket:pending() > 0 then
      cqueues.sleep(left) -- a pipelined request hides the end of the input
    elseif left > 0 then
      cqueues.poll(signs, left)
    end
  until left <= 0
  return true
end

-- Waits that many seconds; returns false at once when the client goes away meanwhile.
function Exchange:wait(seconds)
  local http = self.http
  if http.connection.version == 2 or not http.connection.socket then
    if seconds > 0 then cqueues.sleep(seconds) end
    local socket = http.connection.socket
    return http.state ~= "closed" and socket ~= nil and not socket:eof("r")
  end
  return watch(http.connection.socket, seconds)
end

-- lua-http frees an HTTP/2 stream once its reset is written, which a dead connection never takes: the
-- connection would wait for that stream for ever.
local function let_go(http)
  if http.connection.version ~= 2 then return end
  http:shutdown()
  if http.state ~= "closed" and http.state ~= "idle" then http:set_state("closed") end
end

-- Settles the counters and the connection when the exchange is over, however it ended.
function Exchange:settle()
  let_go(self.http)
  if not self.streaming then return end
  self.streaming = false
  self.counters.streams_open = self.counters.streams_open - 1
  if not self.finished then self.counters.streams_broken = self.counters.streams_broken + 1 end
end

-- A client that goes away inside its request's body: lua-http takes that for the body's end, and would then look
-- for the rest for ever.
local function is_cut(http)
  return http.connection.version ~= 2 and type(http.body_read_left) == "number" and http.body_read_left > 0
end

local function hang_up(http)
  local socket = http.connection:take_socket()
  if socket then socket:close() end
end

-- lua-http 0.4 at times names a header by the wrong place in HPACK's table; without a table there are no places.
local function forget_headers(connection)
  if connection.version == 2 then connection.encoding_context:resize_dynamic_table(0) end
end

local M = {}

-- Reads a request from a lua-http stream; nil when the client sent none that can be read.
-- state: the server's counters, dialect and new_id.
function M.read(http, state)
  local received = http:get_headers(READ_TIMEOUT)
  if not received then return nil end
  forget_headers(http.connection)
  if received:get("expect") then http:write_continue() end
  local body = http:get_body_as_string(READ_TIMEOUT)
  if not body then return nil end
  if is_cut(http) then return hang_up(http) end
  local target = received:get(":path") or "*"
  local path = target:match("^[^?]*")
  return setmetatable({
    http = http, method = received:get(":method"), target = target, path = path, asked = path,
    headers = header_list(received), body = body, extra_headers = {},
    request_id = received:get("x-request-id") or "req_" .. state.new_id(), -- the client's own, as proxies do
    started = cqueues.monotime(), counters = state.counters, dialect = state.dialect,
  }, Exchange)
end

return M
