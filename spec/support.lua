-- support.lua: what the specs share: a development gateway, clients of it, and answers made to order.
-- Leans on users' own doors only: llm_gateway and llm_gateway.devgateway.

local busted = require "busted"
local core = require "llm_gateway.core"
local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"
local shell = require "spec.shell"
local tls_room = require "spec.tls_room"

local M = {}

-- What a libcurl does in its own way says so where it is tried. 7.88 is the first to tell which HTTP/2 streams a server
-- turns away, and one of 7.83 to know connections of HTTP/2 from others (see src/transfer_options.c).
local major, minor = core.curl_version:match("^(%d+)%.(%d+)")
M.is_curl8 = tonumber(major) >= 8
M.tells_goaway = M.is_curl8 or tonumber(minor) >= 88
M.keeps_http2 = M.is_curl8 or tonumber(minor) >= 84

-- A gateway that streams fast and knows the fixtures. Whoever starts it stops it; M.gateway does that by itself.
function M.start(options)
  local all = { fixtures = "spec/fixtures/errors.json", delay = 0.001 }
  for name, value in pairs(options or {}) do all[name] = value end
  return assert(devgateway.start(all))
end

-- What `make` returns, lent to the specs of the describe that asks: made before them, unmade behind them, in the
-- order of asking. The table returned has its fields and methods in between.
local function lend(make, unmake)
  local lent, made = {}, nil
  busted.setup(function()
    made = make()
    setmetatable(lent, { __index = made })
  end)
  busted.teardown(function()
    if made then unmake(made) end
  end)
  return lent
end

-- A gateway for the specs of a describe; it never needs to be stopped. `options` are M.start's, or a function that
-- returns them when the specs begin. `ready(gateway)` is called once it listens, to make what wants its url.
function M.gateway(options, ready)
  return lend(function()
    local gateway = M.start(type(options) == "function" and options() or options)
    if ready then ready(gateway) end
    return gateway
  end, function(gateway) gateway:stop() end)
end

-- A room of certificates (tls_room.lua) for the specs of a describe.
function M.tls_room()
  return lend(tls_room.make, function(room) room:remove() end)
end

-- A client of the gateway, or of a place in it ("/~fault/stall"), that tries once.
function M.client(gateway, options, place)
  local all = { base_url = gateway.url .. (place or ""), api_key = "gw_dev", max_retries = 0 }
  for name, value in pairs(options or {}) do all[name] = value end
  return llm.new(all)
end

-- A client whose every request meets that fault.
function M.faulty(gateway, fault, options)
  return M.client(gateway, options, "/~fault/" .. fault)
end

-- A chat request with one question, and more fields.
function M.ask(question, fields)
  local request = { messages = { { role = "user", content = question } } }
  for name, value in pairs(fields or {}) do request[name] = value end
  return request
end

local scripts = 0

-- A client whose every request is answered by these steps (devgateway/lab.lua has them).
function M.scripted(gateway, steps, options)
  scripts = scripts + 1
  local name = "spec" .. scripts
  local teller = M.client(gateway, { ca_file = options and options.ca_file })
  llm.assert(teller:request({ path = "/~script/", body = { name = name, steps = steps } }))
  return M.client(gateway, options, "/~script/" .. name)
end

-- The bytes of an answer, as a script's step.
function M.answer(body, options)
  options = options or {}
  local lines = { "HTTP/1.1 " .. (options.status or 200) .. " Whatever", "Connection: close" }
  table.insert(lines, "Content-Type: " .. (options.type or "application/json"))
  table.insert(lines, options.length == false and "" or ("Content-Length: %d\r\n"):format(#body))
  for _, line in ipairs(options.headers or {}) do table.insert(lines, 2, line) end
  local hex = (table.concat(lines, "\r\n") .. "\r\n" .. body):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  return { hex = hex }
end

-- A client whose every request is answered by these bytes.
function M.answering(gateway, body, options)
  return M.scripted(gateway, { M.answer(body, options) })
end

-- A client that is sent these texts as the data of events, with [DONE] only where it is one of them.
function M.streaming(gateway, events, options)
  local body = {}
  for i, data in ipairs(events) do body[i] = "data: " .. data .. "\n\n" end
  return M.scripted(gateway, { M.answer(table.concat(body), { type = "text/event-stream", length = false }) }, options)
end

-- A chunk's JSON, with these fields as they stand in its only choice.
function M.delta(json)
  return '{"object":"chat.completion.chunk","choices":[{"index":0,' .. json .. "}]}"
end

-- What a gateway received: the body's text, and the last value of each header field by lower-case name.
function M.echoed(reply)
  local fields = {}
  for _, header in ipairs(reply.headers) do fields[header.name] = header.value end
  return reply.body, fields
end

-- What a shell command prints.
M.output_of = shell.output_of

-- The path of a new file with these bytes; remove it.
function M.file(bytes)
  local path = os.tmpname()
  shell.write(path, bytes)
  return path
end

-- What a script prints in a process of its own, in the Lua under test. `settings` is the shell's ("NAME=value"),
-- `redirection` too (both outputs unless it says otherwise).
function M.run(script, settings, redirection)
  local path = M.file(script)
  local lua = os.getenv("SPEC_LUA") or "lua5.4"
  local text = M.output_of(("%s %s %s %s"):format(settings or "", lua, path, redirection or "2>&1"))
  os.remove(path)
  return text
end

-- All chunks of a stream, and the error it ended with.
function M.drain(stream)
  local list = {}
  local chunk, err = stream:next()
  while chunk do
    table.insert(list, chunk)
    chunk, err = stream:next()
  end
  return list, err
end

M.has_integers = math.type ~= nil

return M
