-- deaf.lua: a server that takes connections and never says a word, not even hello in TLS.
-- Leans on cqueues, in the process of the spec: the kernel alone takes the connections.

local socket = require "cqueues.socket"

local Deaf = {}
Deaf.__index = Deaf

function Deaf:close()
  self.socket:close()
end

-- A deaf server on 127.0.0.1: url (https, so that a connection is made only once it has spoken) and close().
local function start()
  local server = assert(socket.listen("127.0.0.1", 0))
  assert(server:listen())
  local _, _, port = server:localname()
  return setmetatable({ socket = server, url = ("https://127.0.0.1:%d"):format(port) }, Deaf)
end

return { start = start }
