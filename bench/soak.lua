-- soak.lua: for a chosen time, many calls at once through a faulty gateway. Every call has to end in a reply or an
-- error table, in time and truthfully; memory and descriptors have to stay as they are.
-- Leans on bench/soak/calls.lua (what is called), bench/soak/watch.lua (what is measured).
--
--   lua5.4 bench/soak.lua SECONDS CALLS

package.path = package.path .. ";bench/?.lua"
local calls = require "soak.calls"
local core = require "llm_gateway.core"
local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"
local tls_room = require "spec.tls_room"
local watch = require "soak.watch"

local SECONDS, CALLS = tonumber(arg[1]), tonumber(arg[2])
local SEED = tonumber(os.getenv("SOAK_SEED")) or os.time()
local SAMPLES = 10 -- in a run, or one a minute
local MOST = { rss = 8192, lua = 1024, descriptors = 4 } -- in kB, and in number

local OPTIONS = {
  api_key = "gw_dev", timeout = 0.6, event_timeout = 0.6, connect_timeout = 1, total_timeout = calls.TOTAL_TIMEOUT,
  max_retries = 1, max_retry_delay = 0.1, max_event_bytes = 100000, max_response_bytes = 100000,
}

local function client_of(url, more)
  local options = { base_url = url }
  for _, some in ipairs({ OPTIONS, more }) do
    for name, value in pairs(some) do options[name] = value end
  end
  return llm.new(options)
end

local function start()
  local room = tls_room.make()
  local plain = assert(devgateway.start({ delay = 0.001 }))
  local secure = assert(devgateway.start({ delay = 0.001, tls = room:of("good") }))
  local clients = {
    client_of(plain.url, {}), client_of(plain.url, { http_version = "2" }),
    client_of(secure.url, { ca_file = room.ca }), client_of(secure.url, { ca_file = room.ca, http_version = "2" }),
  }
  return room, { plain, secure }, clients
end

math.randomseed(SEED)
local room, gateways, clients = start()
local ledger = watch.new(gateways)
local deadline

local function caller()
  while core.now() < deadline do calls.one(clients, ledger) end
end

local function sampler(every)
  while core.now() < deadline do
    llm.sleep(math.min(every, math.max(0, deadline - core.now())))
    ledger:sample()
  end
end

print(("%g s, %d calls at once, SOAK_SEED=%d"):format(SECONDS, CALLS, SEED))
deadline = core.now() + SECONDS
llm.run(function()
  llm.spawn(function() ledger:tick(function() return core.now() < deadline end) end)
  llm.spawn(sampler, math.min(60, SECONDS / SAMPLES))
  for _ = 1, CALLS do llm.spawn(caller) end
end)

for _, client in ipairs(clients) do client:close() end
clients = nil
llm.loop():close()
collectgarbage()
collectgarbage()
local fine = ledger:report(MOST)
for _, gateway in ipairs(gateways) do gateway:stop() end
room:remove()
os.exit(fine and 0 or 1, true)
