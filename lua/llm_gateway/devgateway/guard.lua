-- devgateway/guard.lua: who may ask the development gateway, for what, how often and for how much.
-- API keys, apps and orgs, policies by model, words and app, budgets that are really spent, and rate
-- limits over a sliding window. A refusal is a table {kind, status, message, ...}; refusals.lua words it.
-- Leans on nothing; the clock is given. Never speaks HTTP.

local DEMO_APPS = {
  ["demo-budget"] = { budget = { limit = 0.002, type = "monthly" } },
  ["demo-rate"] = { rate = { limit = 2, window = 5 } },
}

local DEMO_POLICIES = {
  { name = "no-secrets", words = { "password" } },
  { name = "no-gpt-4-32k", models = { "gpt-4-32k" } },
}

local Guard = {}
Guard.__index = Guard

local function key_set(api_key)
  if api_key == false then return nil end
  local keys = {}
  local list = type(api_key) == "table" and api_key or { api_key or "gw_dev" }
  for _, key in ipairs(list) do keys[key] = true end
  return keys
end

local function set_of(list)
  if not list then return nil end
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

local function matches_words(policy, lower)
  for _, word in ipairs(policy.words) do
    if lower:find(word:lower(), 1, true) then return true end
  end
  return false
end

-- Every condition that a policy names must hold; one that names none matches nothing.
local function matches(policy, ask)
  if not (policy.models or policy.words or policy.apps) then return false end
  if policy.models and not set_of(policy.models)[ask.model.id] then return false end
  if policy.apps and not set_of(policy.apps)[ask.app_id or ""] then return false end
  return not policy.words or matches_words(policy, ask.text:lower())
end

-- Checks the request's credentials. find(name) gives a header's value or nil.
-- Returns nil when they are good, else a refusal.
function Guard:authenticate(find)
  if not self.keys then return nil end
  local key = find("x-api-key") or (find("authorization") or ""):match("^[Bb]earer%s+(.-)%s*$")
  if not key or key == "" then
    return { kind = "authentication", status = 401, code = "AUTH_MISSING_KEY",
      message = "Missing X-API-Key header" }
  end
  if self.keys[key] then return nil end
  return { kind = "authentication", status = 401, code = "AUTH_INVALID_KEY", message = "Invalid API key" }
end

-- Checks that app and org (texts or nil) are known, where such are configured; nil or a refusal.
function Guard:identify(app_id, org_id)
  if self.known_apps and app_id and not self.apps[app_id] then
    return { kind = "authentication", status = 403, code = "AUTH_UNKNOWN_APP",
      message = "Unknown application '" .. app_id .. "'" }
  end
  if self.orgs and org_id and not self.orgs[org_id] then
    return { kind = "authentication", status = 403, code = "AUTH_UNKNOWN_ORG",
      message = "Unknown organization '" .. org_id .. "'" }
  end
end

-- Counts a request against the app's rate limit.
-- Returns nil or a refusal, and the limit's state {limit, remaining, reset (seconds)} if there is one.
function Guard:count(app_id)
  local rate = (self.apps[app_id or ""] or {}).rate
  if not rate then return nil end
  local now, window, stamps = self.clock(), rate.window or 60, self.stamps[app_id] or {}
  while stamps[1] and stamps[1] <= now - window do table.remove(stamps, 1) end
  self.stamps[app_id] = stamps
  local refused = #stamps >= rate.limit
  if not refused then table.insert(stamps, now) end
  local reset = math.max(1, math.ceil((stamps[1] or now) + window - now))
  local state = { limit = rate.limit, remaining = rate.limit - #stamps, reset = reset }
  if not refused then return nil, state end
  return { kind = "rate_limit", status = 429, code = "RATE_LIMITED", message = "Rate limit exceeded",
    retry_after = reset, limit = rate.limit, app_id = app_id }, state
end

-- Checks policies, then the app's budget; nil or a refusal.
-- ask: {app_id, model, text, cost = estimated USD}.
function Guard:permit(ask)
  for _, policy in ipairs(self.policies) do
    if matches(policy, ask) then
      return { kind = "policy", status = 403, code = "POLICY_DENIED", message = "Request denied by policy",
        policy_name = policy.name }
    end
  end
  local budget = (self.apps[ask.app_id or ""] or {}).budget
  local spent = self.spent[ask.app_id] or 0
  if not budget or spent + ask.cost <= budget.limit then return nil end
  local kind = budget.type or "monthly"
  return { kind = "budget", status = 402, code = "BUDGET_EXCEEDED", budget_type = kind, limit = budget.limit,
    current = spent, estimated = ask.cost, app_id = ask.app_id,
    message = kind:sub(1, 1):upper() .. kind:sub(2) .. " budget exceeded" }
end

-- Books what an answer cost, in USD.
function Guard:spend(app_id, cost)
  if app_id then self.spent[app_id] = (self.spent[app_id] or 0) + cost end
end

local M = {}

-- A guard from the gateway's options (api_key, apps, orgs, policies) and a clock in seconds.
function M.new(options, clock)
  return setmetatable({
    keys = key_set(options.api_key), apps = options.apps or DEMO_APPS, known_apps = options.apps ~= nil,
    orgs = set_of(options.orgs), policies = options.policies or DEMO_POLICIES,
    stamps = {}, spent = {}, clock = clock,
  }, Guard)
end

return M
