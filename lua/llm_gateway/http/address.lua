-- http/address.lua: where a client's calls go: what is wrong with a base_url, and the URL of each endpoint below it.
-- Leans on http/url.lua. It reads text only: no name is looked up, nothing is opened.
--
-- A base_url is origin, path and query. Where the API stands below it is told by `api_path`, or by the gateway's
-- profile, or by the path itself: one with a version segment (/v1beta/openai) or a known suffix is used as given;
-- behind any other comes /v1, which is a guess. The root is what stands before the API: other endpoints are below it.

local lazy = require("llm_gateway.lazy")
local url = require("llm_gateway.http.url")

local scalars = lazy("llm_gateway.scalars")

local M = {}

local DEFAULT_API_PATH = "/v1"

-- Paths that are an API's whole although they have no version: Databricks, Azure OpenAI, Azure AI, GitHub Models.
local SUFFIXES = { "/serving%-endpoints$", "/openai/deployments/[^/]+$", "/models$", "/inference$" }

local ENDPOINTS = { "/chat/completions$", "/embeddings$", "/responses$", "/messages$" }

-- ---------------------------------------------------------------------------------------------------------
-- What is wrong with a base_url

-- A text with another beginning, or more than one: "http:/host", "//host", "http://http://host" -> "http://host".
local function meant(text)
  local scheme, rest = "http", scalars.trim(text)
  repeat
    local named, behind = rest:match("^(%a+):[/\\]*(.*)$")
    local is_scheme = named and named:lower():find("^https?$") ~= nil
    if is_scheme then scheme, rest = named:lower(), behind end
  until not is_scheme
  rest = url.without(rest:gsub("^[/\\]+", ""))
  return rest ~= "" and (": did you mean %q?"):format(scheme .. "://" .. rest) or ""
end

-- A password that is not encoded may end the host too soon; what is said shows none of it.
local function authority_fault(parts, text)
  if not parts.host or parts.host == "" then return "has no host" end
  local number = parts.port:find("^:?$") and 0 or tonumber(parts.port:match("^:(%d+)$"))
  if not number or number > 65535 then
    return "has no good port" .. (text:find("@", 1, true) and ": is what stands before an @ percent-encoded?" or "")
  end
  if (parts.path .. (parts.query or "")):find("[^/]@") then
    return "may not have an @ behind its host: write %40 (and a / in a password as %2F)"
  end
end

local function endpoint_fault(parts, text)
  local path = parts.path:gsub("/+$", "")
  for _, pattern in ipairs(ENDPOINTS) do
    local from = path:find(pattern)
    if from then
      local short = text:gsub("[?#].*$", ""):gsub("/+$", ""):sub(1, -(#path - from + 2))
      return ("is the address of one endpoint: stop before %s%s"):format(path:sub(from), meant(short))
    end
  end
end

-- What is wrong with a text as base_url; nil when nothing is.
function M.fault(text)
  if text:find("^%s") or text:find("%s$") then return "may not begin or end with blanks" .. meant(text) end
  local parts = url.parse(text)
  if not parts then return "has no scheme" .. meant(text) end
  if not parts.scheme:lower():find("^https?$") then
    return ("only http:// and https:// are spoken, got %s://"):format(parts.scheme)
  end
  if parts.authority:lower():find("^https?:$") then return "names its scheme twice" .. meant(text) end
  if parts.authority == "" and parts.path:find("[^/]") then return "has no host" .. meant(text) end
  local fault = authority_fault(parts, text)
  if fault then return fault end
  if parts.fragment then return "may not have a fragment" end
  if text:find("[%s%c\\]") then return "may not contain blanks, control characters or backslashes" end
  return endpoint_fault(parts, text)
end

-- What is wrong with a text as api_path; nil when nothing is.
function M.path_fault(text)
  if text ~= "" and not text:find("^/[^/]") then return 'has to begin with one slash, or to be "" for nothing' end
  if text:find("[%s%c\\?#]") then return "may not contain blanks, control characters, backslashes, ? or #" end
end

-- ---------------------------------------------------------------------------------------------------------
-- Where the API stands

-- v1, v2.0, v1beta, v1alpha1
local function is_version(segment)
  local rest = segment:lower():match("^v%d+(.*)$")
  if not rest then return false end
  return rest:find("^%.?%d*$") ~= nil or rest:find("alpha") ~= nil or rest:find("beta") ~= nil
end

-- Where the first segment of a path that names a version begins (with its slash) and ends; nil without one.
local function version_in(path)
  for from, segment, behind in path:gmatch("()/([^/]*)()") do
    if is_version(segment) then return from, behind - 1 end
  end
end

-- What stands before a path's API; nil where the path has neither a version nor a known suffix. And whether that is
-- certain: a version in the middle of a path may be part of a name.
local function root_of(path)
  local from, stop = version_in(path)
  if from then return path:sub(1, from - 1), stop == #path end
  for _, pattern in ipairs(SUFFIXES) do
    from = path:find(pattern)
    if from then return path:sub(1, from - 1), true end
  end
end

local function ends_with(path, tail)
  return tail ~= "" and path:sub(-#tail) == tail
end

-- How much of what the gateway's profile wants behind a path the path has already: of "/api/v1" all of it, or "/api",
-- or "".
local function overlap(path, api_path)
  local cut = api_path
  while cut and cut ~= "" do
    if ends_with(path, cut) then return cut end
    cut = cut:match("^(.*)/[^/]*$")
  end
  return ""
end

-- A path that names a version while the profile's names another.
local function contradicts(path, api_path)
  return overlap(path, api_path) == "" and version_in(path) ~= nil and version_in(api_path) ~= nil
end

local function placed_by_profile(path, profile_path)
  local present = overlap(path, profile_path)
  local root = path:sub(1, -#present - 1)
  if present == "" and root_of(path) and not version_in(path) then return (root_of(path)), path end -- another door
  return root, root .. profile_path
end

-- root, api, the other reading of a guess (a value for api_path, or nil)
local function placed(path, api_path, profile_path)
  local root, certain = root_of(path)
  if api_path then
    if ends_with(path, api_path) then return path:sub(1, -#api_path - 1), path end
    return api_path == "" and root or path, path .. api_path
  end
  if profile_path then return placed_by_profile(path, profile_path) end
  if root then return root, path, not certain and DEFAULT_API_PATH or nil end
  return path, path .. DEFAULT_API_PATH, ""
end

-- Why a base_url's path cannot be what the gateway's profile wants; nil where it can.
function M.contradiction(base_url, profile_path)
  local path = url.parse(base_url).path:gsub("/+$", "")
  if not contradicts(path, profile_path) then return nil end
  return ('its API stands at "%s", and base_url has "%s": leave that out of base_url, or give api_path = "" to use '
    .. "base_url as it stands"):format(profile_path, path)
end

-- {root, api (what every URL begins with, below the root and below the API), query (nil without), origin (scheme, host
-- and port, which may be shown), other (the other reading of a guess: a value for api_path)} of a base_url that has no
-- fault. api_path and the profile's may be nil.
function M.of(base_url, api_path, profile_path)
  local parts = url.parse(base_url)
  local root, api, other = placed(parts.path:gsub("/+$", ""), api_path and api_path:gsub("/+$", ""), profile_path)
  local start = parts.scheme .. "://" .. parts.authority
  return {
    root = start .. root, api = start .. api, query = parts.query, other = other,
    origin = parts.scheme .. "://" .. parts.authority:gsub("^.*@", ""),
  }
end

-- ---------------------------------------------------------------------------------------------------------
-- The URL of a call

-- The base_url's parameters that a call's own query does not name itself.
local function added(query, own)
  local named, more = {}, {}
  for name in url.parameters(own) do named[name] = true end
  for name, value in url.parameters(query) do
    if not named[name] then more[#more + 1] = name .. "=" .. value end
  end
  return table.concat(more, "&")
end

local function with_query(target, query)
  local path, own = target:match("^([^?]*)%??(.*)$")
  local more = own == "" and query or added(query, own)
  if own ~= "" and more ~= "" then own = own .. "&" end
  return own .. more == "" and path or path .. "?" .. own .. more
end

-- The URL of an endpoint below the API ("/chat/completions").
function M.endpoint(address, name)
  return address.query and with_query(address.api .. name, address.query) or address.api .. name
end

-- The URL of a path below the root ("/v1/rerank?top=1").
function M.path(address, path)
  return address.query and with_query(address.root .. path, address.query) or address.root .. path
end

local function shown(target)
  return url.without(target:gsub("%?.*$", "?..."))
end

-- What a 404 tells more, of a call of this method and URL: the URL, and for an endpoint (nil: it was a path) where it
-- would be by the other reading of a guess.
function M.told(address, method, target, endpoint)
  local words = ("%s %s"):format(method, shown(target))
  if not endpoint or not address.other then return words end
  local api = address.other == "" and address.api:sub(1, -#DEFAULT_API_PATH - 1) or address.api .. address.other
  return ('%s; should it be %s, give api_path = "%s"'):format(words, shown(api .. endpoint), address.other)
end

return M
