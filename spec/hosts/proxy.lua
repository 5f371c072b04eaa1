-- proxy.lua MODE [ARGUMENT]: an HTTP or SOCKS proxy on 127.0.0.1 for the specs, in a process of its own.
-- Leans on cqueues and lua-cjson. Whatever host it is asked for, it goes to 127.0.0.1: so specs may invent names.
--
--   open                  lets everybody through, by CONNECT or by a whole URL in the request's first line
--   auth BASIC            asks for that, base64 of USER:PASSWORD; its 407 repeats what it was given instead, as
--                         some proxies' do
--   refuse STATUS         answers that to all
--   silent                reads, and says nothing
--   socks                 SOCKS 5 without authentication (RFC 1928)
--
-- Says "ready PORT", then a line of JSON for each request: {line, headers}. Ends after a minute at the latest.

local cjson = require "cjson"
local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local mode, argument = arg[1], arg[2]
local LIFETIME = 60

local function say(text)
  io.stdout:write(text, "\n")
  io.stdout:flush()
end

local function read_head(client)
  local line, headers = client:xread("*l", "t"), {}
  if not line then return nil end
  for field in function() return client:xread("*l", "t") end do
    field = field:gsub("\r$", "")
    if field == "" then break end
    local name, value = field:match("^([^:]+):%s*(.*)$")
    headers[name:lower()] = value
  end
  line = line:gsub("\r$", "")
  say(cjson.encode({ line = line, headers = headers }))
  return line, headers
end

local function dial(port)
  local server = socket.connect("127.0.0.1", tonumber(port))
  server:setmode("bn", "bn")
  return server
end

local function pump(from, to)
  while true do
    local bytes = from:xread(-16384, "b")
    if not bytes or not to:xwrite(bytes, "bn") then break end
  end
  to:shutdown("w")
end

local function join(client, server)
  local controller = cqueues.running()
  controller:wrap(pump, server, client)
  pump(client, server)
end

local function answer(client, status, body, more)
  client:xwrite(("HTTP/1.1 %d Whatever\r\n%sConnection: close\r\nContent-Length: %d\r\n\r\n%s")
    :format(status, more or "", #body, body), "bn")
  client:shutdown("w")
  client:xread("*a", "b")
  client:close()
end

local function tunnel(client, line)
  local server = dial(line:match("^CONNECT .*:(%d+) "))
  client:xwrite("HTTP/1.1 200 Connected\r\n\r\n", "bn")
  join(client, server)
end

-- One exchange a connection: the next request's first line would want rewriting too.
local function forward(client, line, headers)
  local method, port, path = line:match("^(%u+) http://[^/]*:(%d+)(/%S*) ")
  local server, out = dial(port), { method .. " " .. path .. " HTTP/1.1" }
  for name, value in pairs(headers) do
    if not name:find("^proxy%-") and name ~= "connection" then table.insert(out, name .. ": " .. value) end
  end
  table.insert(out, "connection: close\r\n\r\n")
  server:xwrite(table.concat(out, "\r\n"), "bn")
  join(client, server)
end

local function serve_http(client)
  local line, headers = read_head(client)
  if not line then return client:close() end
  if mode == "silent" then return client:xread("*a", "b") end
  if mode == "refuse" then return answer(client, tonumber(argument), "no") end
  local given = headers["proxy-authorization"]
  if mode == "auth" and given ~= "Basic " .. argument then
    return answer(client, 407, "wrong: " .. tostring(given), "Proxy-Authenticate: Basic realm=x\r\nX-Given: "
      .. tostring(given) .. "\r\n")
  end
  if line:find("^CONNECT ") then return tunnel(client, line) end
  forward(client, line, headers)
end

local function serve_socks(client)
  local count = client:xread(2, "b"):byte(2)
  client:xread(count, "b")
  client:xwrite("\5\0", "bn")
  local kind = client:xread(4, "b"):byte(4)
  local host = client:xread(kind == 1 and 4 or client:xread(1, "b"):byte(), "b")
  local high, low = client:xread(2, "b"):byte(1, 2)
  say(cjson.encode({ line = kind == 3 and host or "an address", headers = {} }))
  local server = dial(high * 256 + low)
  client:xwrite("\5\0\0\1\127\0\0\1\0\0", "bn")
  join(client, server)
end

local function serve(client)
  client:setmode("bn", "bn")
  client:onerror(function(_, _, why) return why end)
  if mode == "socks" then serve_socks(client) else serve_http(client) end
end

local controller = cqueues.new()
local listener = socket.listen("127.0.0.1", 0)
assert(listener:listen())
local _, _, port = listener:localname()
say(("ready %d"):format(port))
controller:wrap(function()
  for client in listener:clients() do controller:wrap(serve, client) end
end)
local deadline = cqueues.monotime() + LIFETIME
while cqueues.monotime() < deadline do controller:step(deadline - cqueues.monotime()) end
