-- devgateway/raw.lua: an HTTP/1.1 connection's own socket, for answers that a server library would not send.
-- Leans on cqueues, on LuaJIT's ffi or luaposix for a reset, and on ffi for the end of TLS, which cqueues never says.
-- Over TLS the bytes are encrypted.
-- Never raises because of what the client does: writing returns false once it is gone.
-- framed.lua has the same methods for an HTTP/2 stream; misdeeds.lua knows no difference.

local cqueues = require("cqueues")
local errno = require("cqueues.errno")

local SEVERAL = 4096

local Raw = {}
Raw.__index = Raw

local function linger_by_ffi()
  local found, ffi = pcall(require, "ffi")
  if not found then return nil end
  ffi.cdef "int setsockopt(int fd, int level, int name, const void *value, unsigned int size);"
  local level, name = 0xffff, 0x80
  if ffi.os == "Linux" then level, name = 1, 13 end
  return function(fd)
    return ffi.C.setsockopt(fd, level, name, ffi.new("int[2]", 1, 0), 8) == 0
  end
end

local function linger_by_posix()
  local found, posix = pcall(require, "posix.sys.socket")
  if not found then return nil end
  return function(fd)
    return posix.setsockopt(fd, posix.SOL_SOCKET, posix.SO_LINGER, 1, 0) == 0
  end
end

-- Makes close() send a reset instead of an orderly end.
local close_hard = linger_by_ffi() or linger_by_posix()

-- Says over TLS that no more follows (close_notify), as a server does that has said all; nil where nothing can.
local function goodbye_by_ffi()
  local found, ffi = pcall(require, "ffi")
  if not found then return nil end
  ffi.cdef "int SSL_shutdown(void *ssl);"
  for _, name in ipairs({ "libssl.so.3", "libssl.so.1.1", "ssl" }) do
    local loaded, library = pcall(ffi.load, name)
    if loaded then return function(ssl) library.SSL_shutdown(ffi.cast("void **", ssl)[0]) end end
  end
end

local say_goodbye = goodbye_by_ffi()

-- Errors come back as values; running out of time must not stick to the socket.
local function on_error(socket, _, why)
  if why == errno.ETIMEDOUT then socket:clearerr("rw") end
  return why
end

-- Sends bytes as they are; false when the client is gone.
function Raw:write(bytes)
  if self.gone then return false end
  if not self.socket:xwrite(bytes, "n") then self.gone = true end
  return not self.gone
end

local function framed(self, bytes)
  return self.chunked and ("%x\r\n%s\r\n"):format(#bytes, bytes) or bytes
end

-- Sends bytes as a piece of the body, in the encoding that the head told.
function Raw:piece(bytes)
  return self:write(framed(self, bytes))
end

-- Sends the same piece again and again until `total` bytes are out; false when the client is gone.
function Raw:repeat_piece(bytes, total)
  local wire = framed(self, bytes)
  for index = 1, math.ceil(total / #bytes) do
    if not self:write(wire) then return false end
    if index % 16 == 0 then cqueues.poll() end -- others want their turn too
  end
  return true
end

-- Ends the body as it should end; where only the connection's end tells that, nothing is sent.
function Raw:finish()
  return not self.chunked or self:write("0\r\n\r\n")
end

-- Sends the beginning of a piece that never ends.
function Raw:cut(bytes)
  return self:write(self.chunked and "ff\r\n" .. bytes or bytes)
end

-- Sends what is no HTTP.
function Raw:garbage()
  return self:write("\0\1\2 this is no HTTP at all \255\254\r\n\r\n")
end

-- Tells that the connection will end; here the head has told it.
function Raw.announce_end() end

-- Sends a status line and headers (a list of texts). `body` is how its length is told: "chunked", "close" (not
-- at all) or a number of bytes. The connection will close behind the answer, and the head says so, unless
-- `silent_close` is set.
function Raw:head(status, lines, body)
  local head = { "HTTP/1.1 " .. status, "X-Request-Id: " .. self.exchange.request_id }
  if not self.silent_close then head[#head + 1] = "Connection: close" end
  for _, line in ipairs(lines) do head[#head + 1] = line end
  self.chunked = body == "chunked"
  if self.chunked then head[#head + 1] = "Transfer-Encoding: chunked" end
  if type(body) == "number" then head[#head + 1] = ("Content-Length: %d"):format(body) end
  self.exchange.status = tonumber(status:match("^%d+"))
  return self:write(table.concat(head, "\r\n") .. "\r\n\r\n")
end

local function drained(self)
  local bytes, why = self.socket:xread(-SEVERAL, "b", 0)
  if bytes then return true end
  self.gone = why ~= errno.ETIMEDOUT
  return not self.gone
end

-- Says nothing for that many seconds (for ever: nil). False at once when the client goes away.
function Raw:hold(seconds)
  local deadline = seconds and cqueues.monotime() + seconds
  local signs = { pollfd = self.socket:pollfd(), events = "r" }
  while not self.gone and drained(self) do
    local left = deadline and deadline - cqueues.monotime()
    if left and left <= 0 then return true end
    cqueues.poll(signs, left)
  end
  return false
end

-- Waits for the client's next bytes; false when it goes away instead.
function Raw:await_more()
  return (self.socket:fill(1)) == true
end

-- Ends the connection in an orderly way; TLS's own end is left out when `abrupt` is set. Calling it again does
-- nothing.
function Raw:close()
  if self.closed then return end
  self.closed = true
  local ssl = say_goodbye and not self.gone and not self.abrupt and self.socket:checktls()
  if ssl then say_goodbye(ssl) end
  cqueues.cancel(self.socket:pollfd())
  self.socket:close()
  self.exchange.counters.raw_open = self.exchange.counters.raw_open - 1
  if not self.gone then self.exchange.finished = true end
end

-- Ends the connection with a reset.
function Raw:reset()
  close_hard(self.socket:pollfd())
  self.abrupt = true
  self:close()
end

local M = {}

-- Whether a reset can be sent at all.
M.can_reset = close_hard ~= nil

-- Makes closing a descriptor send a reset; nil where nothing can.
M.close_hard = close_hard

-- Takes the exchange's socket away from lua-http; nil and a message where there is none of its own.
function M.take(exchange)
  local connection = exchange.http.connection
  if connection.version == 2 then return nil, "this needs HTTP/1.1: HTTP/2 streams share one socket" end
  if not connection.socket then return nil, "the connection is gone" end
  exchange.http.body_write_type = "close" -- or lua-http would answer by itself when it lets go
  local socket = connection:take_socket()
  cqueues.cancel(socket:pollfd()) -- wakes lua-http's reader, which then forgets the connection
  socket:onerror(on_error)
  exchange.counters.raw_open = exchange.counters.raw_open + 1
  return setmetatable({ socket = socket, exchange = exchange }, Raw)
end

return M
