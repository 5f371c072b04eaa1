-- options.lua: what llm.new{} takes: checks it, fills in the environment and the defaults.
-- Leans on checks.lua, credentials.lua, headers.lua, loop.lua and proxy.lua. A wrong option is misuse: it raises, at
-- the line of whoever wrote it.

local checks = require("llm_gateway.request.schema")
local credentials = require("llm_gateway.http.url")
local headers = require("llm_gateway.http.fields")
local loops = require("llm_gateway.loop")
local proxies = require("llm_gateway.http.proxy_choice")

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

-- A password that is not encoded may end the host too soon; what is said shows none of it.
local function authority_fault(rest)
  local authority, path = rest:match("^([^/?#]*)(.*)$")
  local place = authority:gsub("^.*@", "")
  local host, port = place:match(place:find("^%[") and "^(%[[^%]]+%])(.*)$" or "^([^:]*)(.*)$")
  if not host or host == "" then return "has no host" end
  local number = port:find("^:?$") and 0 or tonumber(port:match("^:(%d+)$"))
  if not number or number > 65535 then return "has no good port: is what stands before an @ percent-encoded?" end
  if path:find("[^/]@") then return "may not have an @ in its path: write %40 (and a / in a password as %2F)" end
end

local function base_url(value)
  local fault = text(value)
  if fault then return fault end
  local scheme = value:match("^(%a[%w+.-]*)://")
  if not scheme then
    return ("has no scheme: did you mean %q?"):format("http://" .. credentials.without(value:gsub("^//", "")))
  end
  if not scheme:lower():find("^https?$") then return "only http:// and https:// are spoken, got " .. scheme .. "://" end
  local fault_of_place = authority_fault(value:match("^%a+://(.*)$"))
  if fault_of_place then return fault_of_place end
  if value:find("[?#]") then return "may not have a query or a fragment" end
  if value:find("/chat/completions/*$") then return "is the address of one endpoint: stop before /chat/completions" end
  if value:find("[%s%c\\]") then return "may not contain blanks, control characters or backslashes" end
end

local CHECKS = {
  base_url = base_url, api_key = checks.key, provider_key = checks.secret, app_id = text, org_id = text,
  headers = checks.header_fields,
  timeout = duration, connect_timeout = duration, event_timeout = duration, total_timeout = duration,
  max_retries = checks.count, max_retry_delay = duration, retry_timeouts = checks.boolean,
  on_retry = callback, on_request = callback, on_response = callback,
  proxy = proxies.fault, http_version = http_version,
  ca_file = text, ca_path = text, client_cert = text, client_key = text, insecure = checks.boolean,
  max_response_bytes = size, max_event_bytes = size, loop = loop,
}

-- ---------------------------------------------------------------------------------------------------------
-- Names

-- How many single letters lie between two words (Levenshtein).
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j) and 0 or 1
      corner, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, corner + same)
    end
  end
  return row[#b]
end

-- "key" is nearer to api_key than to loop.
local function remoteness(name, known)
  return known:find(name, 1, true) and 1 - #name / #known or distance(name, known)
end

local function nearest(name)
  local best, least
  for known in pairs(CHECKS) do
    local d = remoteness(name:lower(), known)
    if not least or d < least or (d == least and known < best) then best, least = known, d end
  end
  return best
end

local function check_one(name, value)
  local check = CHECKS[name]
  if not check then
    return ("unknown option %s: did you mean %q?"):format(shown(name), nearest(tostring(name)))
  end
  local fault, path = check(value, name)
  if fault then return ("%s: %s"):format(path or name, fault) end
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

-- "http://host:8000/gateway/v1/" -> "http://host:8000/gateway"
local function prefix_of(url)
  return (url:gsub("/+$", ""):gsub("/v1$", ""):gsub("/+$", ""))
end

-- The URL's scheme, host and port, which may be shown: no credentials, no path.
local function origin_of(url)
  local scheme, authority = url:match("^(%a+://)([^/]+)")
  return scheme .. authority:gsub("^.*@", "")
end

-- Whether llm.new takes an option of this name.
function M.knows(name)
  return CHECKS[name] ~= nil
end

-- Checks the options given and completes them. Returns a new table with all of them, and
--   given   the options as given (`with` builds on them)
--   prefix  what every URL begins with; origin, what of it may be shown
--   proxy   as libcurl takes it; via, the proxy that this may mean
-- Raises at `level` above the caller.
function M.complete(given, level)
  check(given, level + 1)
  given = merged(given) -- the caller's tables may change, unchecked
  given.headers = given.headers and merged(given.headers)
  local all = merged(DEFAULTS, from_environment(given, level + 1), given)
  all.given = given
  all.prefix = prefix_of(all.base_url)
  all.origin = origin_of(all.base_url)
  all.proxy, all.via = proxies.choose(all.proxy, all.origin)
  all.http2 = all.http_version == "2"
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
