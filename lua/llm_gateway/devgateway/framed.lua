-- devgateway/framed.lua: an HTTP/2 stream, for answers that a server library would not send: raw.lua's methods in
-- frames.
-- Leans on lua-http's stream and connection, and on raw for a reset of the connection.
-- What ends an HTTP/1.1 connection ends this one too, with its other streams; a reset is the stream's own.

local cqueues = require("cqueues")
local new_headers = require("http.headers").new
local raw = require("llm_gateway.devgateway.raw")

local unpack = table.unpack or unpack

local INTERNAL_ERROR = 2
local MAX_FRAME = 16384
local SAID = math.huge -- as the last stream of a goodbye: lua-http says no other then

local Framed = {}
Framed.__index = Framed

local function is_gone(self)
  local socket = self.connection.socket
  local closed = self.http.state == "closed" and not self.finished
  if closed or not socket or socket:eof("r") then self.gone = true end
  return self.gone
end

-- Lets time pass until one of the conditions, the client's next frame or its end; false once it is gone.
local function await(self, seconds, ...)
  local connection = self.connection
  local conditions = { self.http.chunk_cond, connection, ... }
  conditions[#conditions + 1] = seconds
  if cqueues.poll(unpack(conditions)) == connection and not connection:step(0) then self.gone = true end
  return not is_gone(self)
end

-- How many bytes may go out now; waits while it is none, and is nil once the client is gone.
local function credit(self)
  local http, connection = self.http, self.connection
  while not is_gone(self) do
    local least = math.min(http.peer_flow_credits, connection.peer_flow_credits, MAX_FRAME)
    if least > 0 then return least end
    await(self, nil, http.peer_flow_credits_change, connection.peer_flow_credits_change)
  end
end

-- Sends bytes in frames as large as they may be; false when the client is gone.
function Framed:write(bytes)
  local sent = 0
  while sent < #bytes do
    local most = credit(self)
    if not most then return false end
    local part = bytes:sub(sent + 1, sent + most)
    if not self.http:write_data_frame(part, false, false) then self.gone = true end
    sent = sent + #part
  end
  return not self.gone
end

-- Sends bytes as a piece of the body: here all bytes are.
function Framed:piece(bytes)
  return self:write(bytes)
end

-- Sends the same piece again and again until `total` bytes are out; false when the client is gone.
function Framed:repeat_piece(bytes, total)
  for _ = 1, math.ceil(total / #bytes) do
    if not self:write(bytes) then return false end
    cqueues.poll() -- others want their turn too
  end
  return true
end

-- Ends the stream as it should end.
function Framed:finish()
  if is_gone(self) then return false end
  self.finished = true
  return self.http:write_data_frame("", true, false) ~= nil
end

-- A frame's head and what there is of it, past lua-http, which would want it whole.
local function send_raw(self, bytes)
  if is_gone(self) then return false end
  return self.connection.socket:xwrite(bytes, "n") ~= nil
end

-- Sends the beginning of a frame (of 255 bytes) that never ends.
function Framed:cut(bytes)
  local id = self.http.id
  local number = string.char(0, math.floor(id / 65536), math.floor(id / 256) % 256, id % 256)
  return send_raw(self, "\0\0\255\0\0" .. number .. bytes)
end

-- Sends what is no frame: it claims to be larger than any may be.
function Framed:garbage()
  return send_raw(self, "\255\255\255 this is no HTTP at all \255\254\r\n\r\n")
end

-- Tells (GOAWAY) that no stream after this one will be answered, or after the `last`.
function Framed:announce_end(last)
  self.connection:write_goaway_frame(last or self.http.id, 0)
  self.connection.send_goaway_lowest = SAID
end

-- Sends a status ("200 OK") and headers (a list of texts). `body` is its length in bytes, should it be told.
function Framed:head(status, lines, body)
  local headers = new_headers()
  headers:append(":status", (status:match("^%d+")))
  headers:append("x-request-id", self.exchange.request_id)
  for _, line in ipairs(lines) do
    local name, value = line:match("^([^:]+):%s*(.*)$")
    headers:append(name:lower(), value)
  end
  if type(body) == "number" then headers:append("content-length", ("%d"):format(body)) end
  self.exchange.status = tonumber(status:match("^%d+"))
  return self.http:write_headers(headers, false) ~= nil
end

-- Says nothing for that many seconds (for ever: nil). False at once when the client goes away.
function Framed:hold(seconds)
  local deadline = seconds and cqueues.monotime() + seconds
  while not is_gone(self) do
    local left = deadline and deadline - cqueues.monotime()
    if left and left <= 0 then return true end
    await(self, left)
  end
  return false
end

-- Waits for the client's next request, which will not be answered; false when it goes away instead.
function Framed:await_more()
  local connection = self.connection
  connection.send_goaway_lowest = self.http.id -- lua-http lets later streams be
  while connection.highest_odd_stream <= self.http.id do
    local socket = connection.socket
    if not socket or socket:eof("r") then return false end
    if cqueues.poll(connection) == connection and not connection:step(0) then return false end
  end
  return true
end

-- lua-http's reader sees the client's end ("w": after ours) or what looks like it ("r"), and closes the connection.
-- It would say goodbye first (GOAWAY, RST_STREAM), unless that seems said.
local function end_connection(self, how)
  local socket = self.connection.socket
  self.connection.send_goaway_lowest = SAID
  for _, stream in pairs(self.connection.streams) do
    if stream.id ~= 0 and stream.state ~= "closed" and stream.state ~= "idle" then stream:set_state("closed") end
  end
  if socket then socket:shutdown(how) end
end

-- Ends what the answer left open: nothing after a whole one or one that the client gave up, else the connection.
-- Calling it again does nothing.
function Framed:close()
  if self.closed then return end
  self.closed = true
  if is_gone(self) then return end
  self.exchange.finished = true
  if not self.finished or self.silent_close then end_connection(self, "w") end
end

-- Ends the stream with a reset: options.code is HTTP/2's; or, with options.tcp, the connection.
function Framed:reset(options)
  local code = options and options.code or INTERNAL_ERROR
  self.closed, self.exchange.finished = true, true
  if options and options.tcp then
    raw.close_hard(self.connection.socket:pollfd())
    end_connection(self, "r")
  elseif not is_gone(self) then
    self.http:write_rst_stream_frame(code)
  end
end

local M = {}

-- Whether a reset can be sent: a stream's always can.
M.can_reset = true

-- The exchange's stream; nil and a message once its connection is gone.
function M.take(exchange)
  local connection = exchange.http.connection
  if not connection.socket then return nil, "the connection is gone" end
  return setmetatable({ http = exchange.http, connection = connection, exchange = exchange }, Framed)
end

return M
