-- cli/doctor/probe.lua: the requests of the doctor. Each is bounded in time and bytes, and none is repeated.

local core = require("llm_gateway.core")
local llm = require("llm_gateway")

local MAX_BYTES = 4 * 2 ^ 20

-- What each way of saying who calls sends; the order is that of the report.
local SCHEMES = {
  { name = "bearer", title = "Authorization: Bearer", header = "Authorization", prefix = "Bearer " },
  { name = "x-api-key", title = "X-API-Key", header = "X-API-Key", prefix = "" },
  { name = "api-key", title = "api-key", header = "api-key", prefix = "" },
}

local Probe = {}
Probe.__index = Probe

-- Header fields that say who calls in every way at once (scheme nil), in one way, or in none (false).
function Probe:auth(scheme)
  local fields = {}
  for _, one in ipairs(SCHEMES) do
    local sent = self.key and (scheme == nil or scheme == one)
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

-- Sends a chat that asks for a stream. Returns {chunks, first, last (seconds), finish_reason, usage}; or nil, err.
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
    chunk, err = stream:next()
  end
  if err then return nil, err end
  return seen
end

-- A probe of an origin ("http://host:port"). timeout in seconds for each answer; key may be nil.
local function new(origin, key, timeout)
  local client = llm.new({
    base_url = origin, max_retries = 0, timeout = timeout, total_timeout = 3 * timeout,
    connect_timeout = timeout, max_response_bytes = MAX_BYTES,
  })
  return setmetatable({ client = client, key = key, requests = 0 }, Probe)
end

return { new = new, SCHEMES = SCHEMES }
