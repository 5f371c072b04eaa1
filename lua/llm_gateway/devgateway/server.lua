-- devgateway/server.lua: the development gateway's process: it listens, reads requests and sends each where it belongs.
-- Leans on lua-http and cqueues; routes answers, lab and faults do what their names say.
-- Never lets one exchange's failure end the process.

local cqueues = require("cqueues")
local http_server = require("http.server")
local http_tls = require("http.tls")
local rand = require("openssl.rand")
local signal = require("cqueues.signal")
local yieldable_pcall = require("http.util").yieldable_pcall
local catalog = require("llm_gateway.devgateway.catalog")
local exchanges = require("llm_gateway.devgateway.exchange")
local faults = require("llm_gateway.devgateway.faults")
local files = require("llm_gateway.devgateway.files")
local guard = require("llm_gateway.devgateway.guard")
local lab = require("llm_gateway.devgateway.lab")
local routes = require("llm_gateway.devgateway.routes")
local upstreams = require("llm_gateway.devgateway.upstreams")

local IDLE_TIMEOUT = 75
local MAX_HEADER_LINE = 262144
local NOT_LAST = { stats = true, script = true }

local function new_id()
  return (rand.bytes(12):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function new_state(settings)
  return {
    delay = settings.delay or 0.02, dialect = settings.dialect or "flat",
    dimensions = settings.dimensions or 256, log = settings.log, new_id = new_id, clock = cqueues.monotime,
    guard = guard.new(settings, cqueues.monotime), catalog = catalog.new(settings.models),
    fixtures = settings.fixtures and lab.load_fixtures(settings.fixtures) or {}, scripts = {}, flaky = {},
    counters = { connections = 0, requests = 0, streams_open = 0, streams_broken = 0, raw_open = 0 },
  }
end

local function complain(what, why)
  io.stderr:write("llm-gateway-dev: ", tostring(what), ": ", tostring(why), "\n")
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- "/~kind/ARGUMENT/rest": the kind, the argument and the ordinary path left over.
local function split_path(path)
  local kind, tail = path:match("^/~(%l+)/?(.*)$")
  if not kind then return nil end
  local argument, rest = tail:match("^([^/]*)(.*)$")
  return kind, unescape(argument), rest == "" and "/" or rest
end

-- What a request asks for besides an ordinary answer; a path's wish leaves the ordinary path behind.
local function read_wish(exchange)
  local kind, argument, rest = split_path(exchange.path)
  if kind then
    exchange.path = rest
    return kind, argument
  end
  if exchange:header("x-dev-fixture") then return "fixture", exchange:header("x-dev-fixture") end
  if exchange:header("x-dev-fault") then return "fault", exchange:header("x-dev-fault") end
end

local function dispatch(state, exchange)
  local kind, argument = read_wish(exchange)
  if not NOT_LAST[kind or ""] then
    state.last = exchange
    state.counters.requests = state.counters.requests + 1
  end
  if kind == "fault" then
    if faults.serve(state, exchange, argument) then routes.serve(state, exchange) end
  elseif kind == "upstream" then
    upstreams.serve(state, exchange, argument)
  elseif lab.serve[kind or ""] then
    lab.serve[kind](state, exchange, argument)
  else
    routes.serve(state, exchange)
  end
end

local function log(state, exchange)
  if not state.log then return end
  io.stderr:write(("%s %s %s %s %.1fms\n"):format(os.date("%H:%M:%S"), exchange.method, exchange.asked,
    tostring(exchange.status or "-"), (cqueues.monotime() - exchange.started) * 1000))
end

local function on_stream(state, http)
  local exchange = exchanges.read(http, state)
  if not exchange then return end
  local ok, why = yieldable_pcall(dispatch, state, exchange)
  exchange:settle()
  log(state, exchange)
  if not ok then complain(exchange.method .. " " .. exchange.asked, why) end
end

local function new_context(tls, version)
  local pkey, x509, chain = require("openssl.pkey"), require("openssl.x509"), require("openssl.x509.chain")
  local context, certificates = http_tls.new_server_context(), {}
  for pem in files.read(tls.cert):gmatch("%-%-%-%-%-BEGIN CERT.-%-%-%-%-%-END CERTIFICATE%-%-%-%-%-\n?") do
    certificates[#certificates + 1] = x509.new(pem)
  end
  if not certificates[1] then error("no certificate in " .. tls.cert, 0) end
  context:setCertificate(certificates[1])
  context:setPrivateKey(pkey.new(files.read(tls.key)))
  local rest = chain.new()
  for index = 2, #certificates do rest:add(certificates[index]) end
  if #certificates > 1 then context:setCertificateChain(rest) end
  context:setAlpnSelect(function(_, protocols)
    for _, name in ipairs(protocols) do
      if (name == "h2" and version ~= 1.1) or (name == "http/1.1" and version ~= 2) then return name end
    end
  end)
  return context
end

local VERSIONS = { ["1.1"] = 1.1, ["2"] = 2 }

local function listen(state, settings)
  local version = settings.http_version and VERSIONS[("%.3g"):format(settings.http_version)]
  if settings.http_version and not version then error("http_version is \"1.1\" or \"2\"", 0) end
  local server, why = http_server.listen({
    host = "127.0.0.1", port = settings.port or 0, reuseaddr = true, version = version,
    tls = settings.tls ~= nil, ctx = settings.tls and new_context(settings.tls, version),
    intra_stream_timeout = IDLE_TIMEOUT,
    onstream = function(_, http) on_stream(state, http) end,
    onerror = function(_, _, operation, reason)
      if state.log then complain(operation, reason) end
    end,
  })
  if server then
    local ok, failure = server:listen()
    if ok then return server end
    why = failure
  end
  error("cannot listen on port " .. tostring(settings.port or 0) .. ": " .. tostring(why), 0)
end

-- Counts connections and lifts lua-http's limit of 4 KiB to a header line.
local function watch_connections(server, state)
  local add = server.add_socket
  function server.add_socket(self, socket)
    state.counters.connections = state.counters.connections + 1
    socket:setmaxline(MAX_HEADER_LINE)
    return add(self, socket)
  end
  function state.open_connections()
    return server.n_connections + state.counters.raw_open
  end
end

local function end_with_input(server)
  server.cq:wrap(function()
    repeat cqueues.poll({ pollfd = 0, events = "r" }) until not io.stdin:read(1)
    os.exit(0)
  end)
end

local M = {}

-- Listens and serves until the process ends. on_ready(port) is called once it listens.
-- settings: devgateway.start's options, and until_eof.
function M.run(settings, on_ready)
  local state = new_state(settings)
  local server = listen(state, settings)
  watch_connections(server, state)
  signal.ignore(signal.SIGPIPE)
  if settings.until_eof then end_with_input(server) end
  local _, _, port = server:localname()
  on_ready(port)
  repeat
    local ok, why = server:loop()
    if not ok then complain("a connection failed", why) end
  until ok
end

return M
