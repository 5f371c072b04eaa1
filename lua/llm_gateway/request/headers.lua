-- request/headers.lua: who a call is from: its keys and ids as header fields, and which of them are secret.
-- Leans on credentials.lua, on headers.lua for what a field may hold and on request.lua for what it complains with.

local credentials = require("llm_gateway.http.url")
local headers = require("llm_gateway.http.fields")
local requests = require("llm_gateway.request.models")

local M = { VERSION = "0.1.0" }

local SECRET_NAMES = {
  "auth", "cookie", "credential", "jwt", "key", "passw", "secret", "session", "signature", "token",
}
local OPEN_NAMES = { "author$", "^idempotency%-key$" }

-- Whether a header field, or a parameter of a URL, is likely to be a secret.
local function is_secret(name)
  name = name:lower()
  for _, pattern in ipairs(OPEN_NAMES) do
    if name:find(pattern) then return false end
  end
  for _, word in ipairs(SECRET_NAMES) do
    if name:find(word, 1, true) then return true end
  end
  return false
end

local function add_secret(secrets, text)
  if type(text) == "number" then text = headers.text(text) end
  if type(text) ~= "string" or text == "" then return end
  table.insert(secrets, text)
  local token = text:match("^%a+%s+(%S+)$") -- "Bearer ..."
  if token then table.insert(secrets, token) end
  for value in text:gmatch("=([^;,%s]+)") do table.insert(secrets, value) end -- "session=..."
end

local function add_secret_headers(secrets, fields)
  for name, value in pairs(fields or {}) do
    if is_secret(name) then add_secret(secrets, value) end
  end
end

local function add_secret_parameters(secrets, path)
  for name, value in (path:match("%?(.*)$") or ""):gmatch("([^&=]+)=([^&]*)") do
    if is_secret(name) then
      add_secret(secrets, value)
      add_secret(secrets, credentials.decoded(value))
    end
  end
end

-- What must never come out of an error: the keys, and whatever else of the call looks like one. A list of texts.
function M.secrets(config, own, key, path)
  local secrets = {}
  add_secret(secrets, key)
  add_secret(secrets, own.provider_key or config.provider_key)
  add_secret_headers(secrets, config.headers)
  add_secret_headers(secrets, own.headers)
  credentials.add(secrets, config.base_url)
  credentials.add(secrets, config.via)
  add_secret_parameters(secrets, path)
  return secrets
end

-- The gateway's key; nil when there is none; nil, err when it is no good: a function's answer is data, checked when
-- it comes.
function M.key(config, own)
  local key, why = own.api_key or config.api_key, nil
  if type(key) == "function" then key, why = key() end
  if key == nil then return nil, why and requests.invalid("api_key", "its function gave none: " .. tostring(why)) end
  if type(key) ~= "string" then return nil, requests.invalid("api_key", "its function returned a " .. type(key)) end
  local fault = key == "" and "its function returned an empty text" or headers.value_fault(key)
  if fault then return nil, requests.invalid("api_key", fault) end
  return key
end

-- The error of a body whose fields go into header fields too, and may not; nil when they may.
function M.fault(body)
  for _, name in ipairs({ "app_id", "feature" }) do
    local value = body and body[name]
    local fault = type(value) == "string" and headers.value_fault(value)
    if fault then return requests.invalid(name, fault) end
  end
end

local function bearer(key)
  return key and "Bearer " .. key
end

-- The header fields of a call ({stream, body, value}) before the user's own.
function M.headers(config, own, key, call)
  local body = call.value or {}
  local org = own.org_id or config.org_id
  return {
    ["User-Agent"] = "llm-gateway-lua/" .. M.VERSION,
    ["Accept"] = call.stream and "text/event-stream, application/json" or call.into and "*/*" or "application/json",
    ["Content-Type"] = call.body and "application/json" or nil,
    ["X-API-Key"] = key,
    ["Authorization"] = bearer(own.provider_key or config.provider_key or key),
    ["X-App-ID"] = type(body.app_id) == "string" and body.app_id or config.app_id,
    ["X-Org-ID"] = org, ["X-Organization-Id"] = org,
    ["X-Feature-Id"] = type(body.feature) == "string" and body.feature or nil,
    ["X-Dry-Run"] = body.dry_run == true and "true" or nil,
  }
end

return M
