-- cli/doctor/probe.lua: the requests of the doctor. Each is bounded in time and bytes, and none is repeated.

local core = require("llm_gateway.core")
local gateways = require("llm_gateway.gateways")
local llm = require("llm_gateway")

local MAX_BYTES = 4 * 2 ^ 20
local MOST_CHUNKS = 100 -- of a stream that was asked for a few tokens

-- The ways of saying who calls, in the order in which they are tried. The `common` ones go out together at first, for
-- nobody minds them; others only one by one, for there are those who refuse two keys. Without a profile the library
-- sends those that are `unnamed`.
local SCHEMES = {
  { title = "Authorization: Bearer", header = "Authorization", prefix = "Bearer ", common = true, unnamed = true },
  { title = "X-API-Key", header = "X-API-Key", prefix = "", common = true, unnamed = true },
  { title = "api-key", header = "api-key", prefix = "", common = true },
}

local function add_those_of_profiles()
  local known = {}
  for _, scheme in ipairs(SCHEMES) do known[scheme.header:lower()] = true end
  for _, name in ipairs(gateways.names()) do
    for _, way in ipairs(gateways.named(name).auth) do
      if not known[way.header:lower()] then
        known[way.header:lower()] = true
        local prefix = way.prefix or ""
        local title = way.header .. (prefix ~= "" and ": " .. prefix:gsub(" $", "") or "")
        table.insert(SCHEMES, { title = title, header = way.header, prefix = prefix })
      end
    end
  end
end

add_those_of_profiles()

local Probe = {}
Probe.__index = Probe

-- Header fields that say who calls in all common ways at once (scheme nil), in one way, or in none (false).
function Probe:auth(scheme)
  local fields = {}
  for _, one in ipairs(SCHEMES) do
    local sent = self.key and (scheme == one or (scheme == nil and one.common))
    fields[one.header] = sent and one.prefix .. self.key or false
  end
  return fields
end

-- Sends a request. Returns {status, headers, value, info} for any HTTP answer, a refusal too; or nil, err.
function Probe:send(method, path, options)
  options = options or {}
  self.requests = self.requests + 1
  local reply, err = self.client:request({
    method = method, path = path, body = options.body, headers = self:auth(options.scheme),
  })
  if reply == nil and not err.status then return nil, err end
  local info = type(reply) == "table" and llm.info(reply) or {}
  return {
    status = err and err.status or info.status or 200, headers = err and err.headers or info.headers or {},
    value = err and err.body or reply, err = err, info = info,
  }
end

-- Sends a chat that asks for a stream. Returns {chunks, first, last (seconds), finish_reason, usage, is_endless (it was
-- left after MOST_CHUNKS)}; or nil, err.
function Probe:stream(path, body, scheme)
  self.requests = self.requests + 1
  local stream, err = self.client:request({
    path = path, body = body, stream = true, headers = self:auth(scheme),
  })
  if not stream then return nil, err end
  local seen, started = { chunks = 0 }, core.now()
  local chunk
  chunk, err = stream:next()
  while chunk do
    seen.chunks = seen.chunks + 1
    seen.last = core.now() - started
    seen.first = seen.first or seen.last
    seen.usage = type(chunk.usage) == "table" and chunk.usage or seen.usage
    local choice = chunk.choices and chunk.choices[1]
    seen.finish_reason = choice and choice.finish_reason or seen.finish_reason
    seen.is_endless = seen.chunks >= MOST_CHUNKS
    if seen.is_endless then break end
    chunk, err = stream:next()
  end
  stream:close()
  if err then return nil, err end
  return seen
end

-- A probe of an origin ("http://host:port"). timeout in seconds for each answer; key may be nil, headers too.
local function new(origin, key, timeout, headers)
  local client = llm.new({
    base_url = origin, max_retries = 0, timeout = timeout, total_timeout = 3 * timeout,
    connect_timeout = timeout, max_response_bytes = MAX_BYTES, headers = headers,
  })
  return setmetatable({ client = client, key = key, requests = 0 }, Probe)
end

return { new = new, SCHEMES = SCHEMES }
