-- lockstep_server.lua: a server of whole requests in the client's own thread (see lockstep.lua), so that each moment at
-- which a connection can die, or bring something, is exact.

local lockstep = require "spec.lockstep"

local M = {}

local EAGER_STEPS, MOST_STEPS = 1000, 3000 -- while a call is under way: a bug must not hang the spec
local NAP = 0.01 -- seconds at most for each step that is no longer eager

-- A server: its connections in the order they came ({peer, over}), its requests ({bytes, connection}), and what it does
-- with each of these, act(connection, how many requests came).
local Server = {}
Server.__index = Server

-- A server that listens, and its client (server.room.client), whose options these are.
function M.serve(options)
  return setmetatable({ room = lockstep.open(options), connections = {}, requests = {} }, Server)
end

local function read(self, connection)
  local bytes = self.room.peer.read(connection.peer)
  if bytes == nil then
    connection.over = true
    return self.room.peer.close(connection.peer, false)
  end
  connection.bytes = connection.bytes .. bytes
  if not lockstep.is_whole(connection.bytes) then return end
  table.insert(self.requests, { bytes = connection.bytes, connection = connection })
  connection.bytes = ""
  if self.act then self.act(connection, #self.requests) end
end

-- Accepts and reads what has come.
function Server:turn()
  local peer = self.room.peer.accept(self.room.listener)
  if peer then table.insert(self.connections, { peer = peer, bytes = "" }) end
  for _, connection in ipairs(self.connections) do
    if not connection.over then read(self, connection) end
  end
end

-- Steps the client and the server until is_over() is true; raises when it never is.
function Server:go_on(is_over, what)
  for i = 1, MOST_STEPS do
    self.room.loop:step(i > EAGER_STEPS and NAP or 0)
    self:turn()
    if is_over() then return end
  end
  error(what or "what was waited for does not come")
end

-- Makes a call, call(client), while the server goes on with `act`. Returns what the call returned.
function Server:during(call, act)
  local done, first, second
  self.act = act
  self.room.loop:spawn(function()
    first, second = call(self.room.client)
    done = true
  end)
  self:go_on(function() return done end, "the call does not end")
  return first, second
end

function Server:send(connection, text) assert(self.room.peer.send(connection.peer, text)) end

-- Ends a connection, with a reset if wanted.
function Server:finish(connection, reset)
  connection.over = true
  self.room.peer.close(connection.peer, reset)
end

-- How many requests have this text in them.
function Server:count(marker)
  local count = 0
  for _, request in ipairs(self.requests) do
    if request.bytes:find(marker, 1, true) then count = count + 1 end
  end
  return count
end

function Server:close() self.room:close() end

-- The bytes of a chat's answer that leaves the connection open; `more` are header lines.
function M.answer(text, more)
  local body = ('{"choices":[{"index":0,"message":{"role":"assistant","content":"%s"}}]}'):format(text)
  return ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s")
    :format(more or "", #body, body)
end

return M
