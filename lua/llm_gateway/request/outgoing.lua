-- request/outgoing.lua: a call as it goes out: its body as text, its URL, header lines and secrets.
-- Leans on the rest of request/, on http/address.lua and secrets/. call/ makes the attempts.

local addresses = require("llm_gateway.http.address")
local headers = require("llm_gateway.request.headers")
local models = require("llm_gateway.request.models")
local secrets = require("llm_gateway.secrets")

local M = {}

-- A dry run is never sent with a stream: servers look at the stream only, and spend. The body without it.
local function without_stream(body)
  local copy = {}
  for name, value in pairs(body) do copy[name] = value end
  copy.stream, copy.stream_options = nil, nil
  return copy
end

local function settle_dry_run(call)
  local body = call.value
  if type(body) ~= "table" or body.dry_run ~= true then return end
  if body.stream ~= nil or body.stream_options ~= nil then call.value = without_stream(body) end
  call.stream = false
end

local function url_of(config, call)
  if call.endpoint then return addresses.endpoint(config.address, call.endpoint) end
  return addresses.path(config.address, call.path)
end

-- Completes a call {method, endpoint (below the API) or path (below the root), value (body) or nil, stream, accepts}
-- of a client with this configuration and the request's own options. Afterwards `streamed` says whether the caller
-- wants a stream, and `stream` whether the gateway is asked for one. Returns the call, or nil, err.
function M.complete(call, config, own)
  call.streamed = call.stream
  settle_dry_run(call)
  local key, err = headers.key(config, own)
  err = err or headers.fault(call.value)
  if err then return nil, err end
  if call.value then
    call.body, err = models.encode(call.value)
    if err then return nil, err end
  end
  call.url = url_of(config, call)
  config.secrets = config.secrets or secrets.of_client(config)
  call.headers = headers.lines(config, own, key, call)
  call.loop = config.loop
  local is_plain = next(own) == nil
  if is_plain and key == config.api_key and not call.path then
    call.secrets = config.secrets
  else
    call.secrets = secrets.of_call(config, own, key, call.path)
  end
  if is_plain then call.options = config else call.own, call.options = own, setmetatable(own, { __index = config }) end
  return call
end

-- Whether a 404 is about what was asked for, so that the URL was right.
local function names_what_is_missing(message)
  local words = message:lower()
  return words:find("%f[%a]model%f[%A]") ~= nil or words:find("%f[%a]deployment%f[%A]") ~= nil
end

-- Says in the error of a call what only the request knows: that no key was given where one was asked for, and the URL
-- of a 404.
function M.explain(err, call)
  if err.kind == "authentication" and err.status == 401 and not call.secrets[1] then
    err.message = err.message .. " (no api_key was given)"
  end
  if err.status ~= 404 or err.kind ~= "not_found" or names_what_is_missing(err.message) then return end
  local told = addresses.told(call.options.address, call.method, call.url, call.endpoint)
  err.message = ("%s (%s)"):format(err.message, secrets.redact(told, call.secrets))
end

return M
