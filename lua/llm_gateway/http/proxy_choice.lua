-- http/proxy_choice.lua: which proxy a client's requests go through: the option's, or what libcurl finds in the
-- environment.
-- Leans on http/fields.lua for what a text may hold. libcurl itself reads the environment, and no_proxy with it.

local headers = require("llm_gateway.http.fields")

local M = {}

local SCHEMES = { http = true, https = true, socks4 = true, socks4a = true, socks5 = true, socks5h = true }

-- What is wrong with the option `proxy`; nil when nothing is. What it holds is not shown: it may be a password.
function M.fault(value)
  if value == false or value == "" then return nil end
  if type(value) ~= "string" then return "expected text, or false for none, got " .. type(value) end
  local scheme, rest = value:match("^([^:/@]+)://(.*)$")
  if scheme and not SCHEMES[scheme:lower()] then
    return ("expected http, https, socks4, socks4a, socks5 or socks5h before ://, got %q"):format(scheme)
  end
  if (rest or value):gsub("^.*@", ""):find("^[/:]?$") then return "has no host" end
  if (rest or value):find("/.*@") then return "has a / before its @: percent-encode the password" end
  if value:find("[%s%c]") then return "may not contain blanks or control characters" end
  return headers.value_fault(value)
end

local function is_loopback(origin)
  local host = origin:match("^%a+://(.-)$"):gsub(":%d+$", ""):lower()
  return host == "localhost" or host:find("^127%.%d+%.%d+%.%d+$") ~= nil or host == "[::1]"
    or host:find("%.localhost$") ~= nil
end

-- The environment's, in libcurl's order; HTTP_PROXY is not among them (CURLOPT_PROXY(3) says why).
local VARIABLES = {
  http = { "http_proxy", "all_proxy", "ALL_PROXY" },
  https = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" },
}

local function from_environment(scheme)
  for _, name in ipairs(VARIABLES[scheme]) do
    local value = os.getenv(name)
    if value and value ~= "" then return value end
  end
end

-- For the option's value and the gateway's origin: what libcurl is to be told ("" for no proxy, nil for the
-- environment's), and the proxy that may be meant (nil for none).
function M.choose(value, origin)
  if value == false or value == "" then return "" end
  if value then return value, value end
  if is_loopback(origin) then return "" end
  return nil, from_environment(origin:match("^%a+"):lower())
end

return M
