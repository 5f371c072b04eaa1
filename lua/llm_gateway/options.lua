-- options.lua: what llm.new{} takes: checks it, fills in the environment and the defaults.
-- Leans on the validators of schema/, on http/ for addresses, header fields and proxies, and on names.lua. A
-- wrong option is misuse: it raises, at the line of whoever wrote it.

local addresses = require("llm_gateway.http.address")
local checks = require("llm_gateway.schema")
local headers = require("llm_gateway.http.fields")
local lazy = require("llm_gateway.lazy")
local loops = require("llm_gateway.loop")
local proxies = require("llm_gateway.http.proxy_choice")

local gateways = lazy("llm_gateway.gateways")
local names = lazy("llm_gateway.names")

local M = {}

local shown, text, duration, size = checks.shown, checks.header_text, checks.duration, checks.size
local callback = checks.callback

local DEFAULTS = {
  base_url = "http://localhost:8000",
  timeout = 60,
  connect_timeout = 10,
  max_retries = 2,
  max_retry_delay = 20,
  http_version = "1.1",
  max_response_bytes = 64 * 2 ^ 20,
  max_event_bytes = 16 * 2 ^ 20,
}

local ENVIRONMENT = { base_url = "LLM_GATEWAY_BASE_URL", api_key = "LLM_GATEWAY_API_KEY", ca_file = "SSL_CERT_FILE" }

-- ---------------------------------------------------------------------------------------------------------
-- Checks that no other room has

local function http_version(value)
  if value ~= "1.1" and value ~= "2" then return 'expected "1.1" or "2", got ' .. shown(value) end
end

local function loop(value)
  local record = loops.record_of(value)
  if not record then return "expected a loop of llm.new_loop(), got " .. shown(value) end
  if record.closed then return "is closed" end
end

local function base_url(value)
  return text(value) or addresses.fault(value)
end

local function api_path(value)
  return checks.text(value) or addresses.path_fault(value)
end

-- gateways/ is loaded only for whoever names one.
local function profile_of(value)
  if type(value) ~= "string" then return gateways.check(value) end
  local profile, nearest = gateways.named(value)
  if profile then return profile end
  return nil, ("unknown gateway %s: did you mean %q?"):format(names.shown(value), nearest)
end

local function gateway(value)
  local profile, fault = profile_of(value)
  if not profile then return fault end
end

local CHECKS = {
  gateway = gateway, base_url = base_url, api_path = api_path,
  api_key = checks.key, provider_key = checks.secret, app_id = text, org_id = text, headers = checks.header_fields,
  timeout = duration, connect_timeout = duration, event_timeout = duration, total_timeout = duration,
  max_retries = checks.count, max_retry_delay = duration, retry_timeouts = checks.boolean,
  on_retry = callback, on_request = callback, on_response = callback,
  proxy = proxies.fault, http_version = http_version,
  ca_file = text, ca_path = text, client_cert = text, client_key = text, insecure = checks.boolean,
  max_response_bytes = size, max_event_bytes = size, loop = loop,
}

local function check_one(name, value)
  local check = CHECKS[name]
  if not check then return names.unknown("option", name, CHECKS) end
  local fault, path = check(value)
  if fault then return ("%s%s: %s"):format(name, path or "", fault) end
end

local function check(given, level)
  if type(given) ~= "table" then error("expected a table of options, got " .. type(given), level + 1) end
  for name, value in pairs(given) do
    local fault = check_one(name, value)
    if fault then error(fault, level + 1) end
  end
end

-- ---------------------------------------------------------------------------------------------------------

-- What was given wins, so that the environment's may be anything; one kind of authorities stands for the other.
local function from_environment(given, level)
  local found = {}
  for name, variable in pairs(ENVIRONMENT) do
    local value = os.getenv(variable)
    local unneeded = given[name] ~= nil or (name == "ca_file" and given.ca_path ~= nil)
    if value and value ~= "" and not unneeded then
      local fault = CHECKS[name](value)
      if fault then error(("the environment's %s: %s"):format(variable, fault), level + 1) end
      found[name] = value
    end
  end
  return found
end

-- Later tables win.
local function merged(...)
  local all = {}
  for i = 1, select("#", ...) do
    for name, value in pairs(select(i, ...)) do all[name] = value end
  end
  return all
end

-- Where calls go. A gateway whose API cannot stand where base_url says is misuse.
local function address_of(all, level)
  local wanted = all.profile and all.profile.api_path
  local fault = wanted and not all.api_path and addresses.contradiction(all.base_url, wanted)
  if fault then error("gateway: " .. fault, level + 1) end
  return addresses.of(all.base_url, all.api_path, wanted)
end

-- What llm.new takes: the checks by name.
M.checks = CHECKS

-- Checks the options given and completes them. Returns a new table with all of them, and
--   given    the options as given (`with` builds on them)
--   profile  what is known of the gateway that was named, or nil (gateways/init.lua)
--   address  where calls go (http/address.lua); origin, what of it may be shown
--   logs, is_watched   whether calls are told of on stderr; or there, or to a hook
--   proxy    as libcurl takes it; via, the proxy that this may mean
-- Raises at `level` above the caller.
function M.complete(given, level)
  check(given, level + 1)
  given = merged(given) -- the caller's tables may change, unchecked
  given.headers = given.headers and merged(given.headers)
  local all = merged(DEFAULTS, from_environment(given, level + 1), given)
  all.given = given
  all.profile = all.gateway and profile_of(all.gateway)
  all.address = address_of(all, level + 1)
  all.origin = all.address.origin
  all.proxy, all.via = proxies.choose(all.proxy, all.origin)
  all.http2 = all.http_version == "2"
  all.logs = os.getenv("LLM_GATEWAY_LOG") == "debug"
  all.is_watched = (all.logs or all.on_request or all.on_response) and true
  return all
end

-- The options given to a client with those of `with` on top: header fields add up.
function M.combined(given, more, level)
  check(more, level + 1)
  local both = merged(given, more)
  if given.headers and more.headers then both.headers = headers.combined(given.headers, more.headers) end
  return both
end

return M
