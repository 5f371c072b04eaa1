-- request/headers.lua: the header fields of a call: who it is from, its keys, what it sends and accepts.
-- Leans on http/fields.lua for what a field may hold and on version.lua. What a named gateway wants of them its profile
-- says (gateways/init.lua); which of them are secret, secrets/ knows.

local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")
local fields = require("llm_gateway.http.fields")
local version = require("llm_gateway.version")

local M = {}

-- The gateway's key; nil when there is none; nil, err when it is no good: a function's answer is data, checked when
-- it comes.
function M.key(config, own)
  local key, why = own.api_key or config.api_key, nil
  if type(key) == "string" then return key end -- it was checked as it was given
  if type(key) == "function" then key, why = key() end
  if key == nil then return nil, why and errors.invalid("api_key", "its function gave none: " .. tostring(why)) end
  if type(key) ~= "string" then return nil, errors.invalid("api_key", "its function returned a " .. type(key)) end
  local wrong = key == "" and "its function returned an empty text" or fields.value_fault(key)
  if wrong then return nil, errors.invalid("api_key", wrong) end
  return key
end

-- The error of a body whose fields go into header fields too, and may not; nil when they may.
function M.fault(body)
  if not body or (body.app_id == nil and body.feature == nil) then return nil end
  for _, name in ipairs({ "app_id", "feature" }) do
    local value = body[name]
    local wrong = type(value) == "string" and fields.value_fault(value)
    if wrong then return errors.invalid(name, wrong) end
  end
end

local function text_of(value)
  return type(value) == "string" and value or nil
end

local IDENTITY = {
  app = { "X-App-ID" }, org = { "X-Org-ID", "X-Organization-Id" }, feature = { "X-Feature-Id" },
  dry_run = { "X-Dry-Run" },
}
local AUTH = { { header = "X-API-Key" }, { header = "Authorization", prefix = "Bearer " } }

-- Who calls, under the names that the gateway knows it by.
local function add_identity(list, profile, who, value)
  local known = value ~= nil and (profile and profile.identity[who] or IDENTITY[who]) or {}
  for i = 1, #known do list[known[i]] = value end
end

-- The gateway's key, in the ways that the gateway knows. The provider's own key takes Authorization; where that was the
-- only way, the gateway's goes into X-API-Key.
local function add_keys(list, profile, key, provider_key)
  local ways = profile and profile.auth[1] and profile.auth or AUTH
  local is_told = false
  for i = 1, key and #ways or 0 do
    local header = ways[i].header
    if not (provider_key and header:lower() == "authorization") then
      list[header], is_told = (ways[i].prefix or "") .. key, true
    end
  end
  if key and not is_told then list["X-API-Key"] = key end
  if provider_key then list["Authorization"] = "Bearer " .. provider_key end
end

-- The header fields of a call ({stream, body, value, into}) before its dialect's and the user's own.
local function defaults(config, own, key, call)
  local body, profile = call.value or {}, config.profile
  local list = {
    ["User-Agent"] = "llm-gateway-lua/" .. version,
    ["Accept"] = call.stream and "text/event-stream, application/json" or call.into and "*/*" or "application/json",
    ["Content-Type"] = call.body and "application/json" or nil,
  }
  add_keys(list, profile, key, own.provider_key or config.provider_key)
  add_identity(list, profile, "app", text_of(body.app_id) or config.app_id)
  add_identity(list, profile, "org", own.org_id or config.org_id)
  add_identity(list, profile, "feature", text_of(body.feature))
  add_identity(list, profile, "dry_run", body.dry_run == true and "true" or nil)
  return list
end

-- Whether a call's header fields are those of every call of its client with a body and a stream, or without.
local function is_ordinary(config, own, key, call)
  if own.headers or own.org_id or own.provider_key or key ~= config.api_key then return false end
  if call.wanted_fields or call.into then return false end
  local body = call.value
  return not body or (body.feature == nil and body.dry_run == nil and body.app_id == config.app_id)
end

-- The lines of a call's header fields, as the core's send takes them: nobody changes them. `call.wanted_fields` are its
-- dialect's. Those of ordinary calls are made once a client.
function M.lines(config, own, key, call)
  if not is_ordinary(config, own, key, call) then
    return fields.lines(defaults(config, own, key, call), call.wanted_fields or {}, config.headers, own.headers)
  end
  local form = call.stream and (call.body and "stream body" or "stream") or call.body and "plain body" or "plain"
  local lines = config.lines[form]
  if not lines then
    lines = fields.lines(defaults(config, own, key, call), config.headers)
    if call.body then lines = core.header_lines(lines) end
    config.lines[form] = lines
  end
  return lines
end

return M
