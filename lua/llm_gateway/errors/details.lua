-- errors/details.lua: reads out of a refusal what a program can act on: when to come back, which policy, what
-- limit, how much of it is used. Leans on errors/dates.lua. Never invents a value: what is not there is nil.

local dates = require("llm_gateway.errors.dates")

local M = {}

local function integral(n)
  return n and (math.tointeger and math.tointeger(n) or n)
end

-- A number, or a text that is one.
local function number(value)
  if type(value) == "string" then value = tonumber((value:gsub("^%s*%$", ""))) end
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge then return nil end
  return value
end

-- The tables where a field may be, the nearest first.
local function places(inner, body)
  local list = { inner }
  for _, name in ipairs({ "details", "metadata", "error_details", "data" }) do
    if type(inner[name]) == "table" then table.insert(list, inner[name]) end
  end
  if type(body) == "table" and body ~= inner then table.insert(list, body) end
  return list
end

local function first_field(inner, body, names, convert)
  for _, place in ipairs(places(inner, body)) do
    for _, name in ipairs(names) do
      local value = convert(place[name])
      if value ~= nil then return value end
    end
  end
end

local function first_match(text, patterns)
  for _, pattern in ipairs(patterns) do
    local found = text and text:match(pattern)
    if found then return found end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- retry_after

local UNITS = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }

-- "1s", "6m0s", "120ms", "12": seconds.
local function duration(text)
  if tonumber(text) then return tonumber(text) end
  local total, rest = nil, text
  while rest ~= "" do
    local n, unit, after = rest:match("^([%d.]+)(%a+)(.*)$")
    if not (tonumber(n) and UNITS[unit]) then return nil end
    total, rest = (total or 0) + tonumber(n) * UNITS[unit], after
  end
  return total
end

local EPOCH_FROM = 1e9 -- a "reset" this large is a moment, not a duration
local EPOCH_MS_FROM = 1e12

local function reset_seconds(text, now)
  local seconds = duration(text)
  if not seconds then
    local moment = dates.parse(text)
    return moment and math.max(0, moment - now)
  end
  if seconds >= EPOCH_MS_FROM then seconds = seconds / 1000 end
  if seconds >= EPOCH_FROM then return math.max(0, seconds - now) end
  return seconds
end

-- Names of the buckets gateways speak of: what comes before and after limit, remaining and reset.
local BUCKETS = {
  { "x-ratelimit-%s-requests" }, { "x-ratelimit-%s-tokens" }, { "x-ratelimit-%s" }, { "ratelimit-%s" },
  { "anthropic-ratelimit-requests-%s" }, { "anthropic-ratelimit-tokens-%s" },
  { "anthropic-ratelimit-input-tokens-%s" }, { "anthropic-ratelimit-output-tokens-%s" },
  { "x-ratelimit-%s-minute" }, { "x-ratelimit-%s-hour" }, { "x-ratelimit-%s-day" },
}

-- The bucket that is used up: {limit, remaining, reset (text)}.
local function exhausted(headers)
  for _, bucket in ipairs(BUCKETS) do
    local remaining = number(headers[bucket[1]:format("remaining")])
    if remaining and remaining <= 0 then
      return {
        remaining = remaining, limit = number(headers[bucket[1]:format("limit")]),
        reset = headers[bucket[1]:format("reset")],
      }
    end
  end
end

local function after_header(headers, now)
  local ms = number(headers["retry-after-ms"])
  if ms then return math.max(0, ms / 1000) end
  local text = headers["retry-after"]
  if not text then return nil end
  if number(text) then return math.max(0, number(text)) end
  local moment = dates.parse(text)
  return moment and math.max(0, moment - now)
end

local function after_words(message)
  if not message then return nil end
  local text = message:lower()
  local n, unit = text:match("try again in ([%d.]+)%s*(%a*)")
  if not n then n, unit = text:match("retry after ([%d.]+)%s*(%a*)") end
  if not n then n, unit = text:match("retry in ([%d.]+)%s*(%a*)") end
  n = n and tonumber((n:gsub("%.$", "")))
  if not n then return nil end
  if unit:find("^ms") or unit:find("^milli") then return n / 1000 end
  return n * (UNITS[unit:sub(1, 1)] or 1)
end

-- Seconds to wait before a repeat makes sense, or nil.
function M.retry_after(kind, inner, body, headers, message)
  local now = os.time()
  local seconds = after_header(headers, now)
  seconds = seconds or first_field(inner, body, { "retry_after", "retry_after_seconds", "cooldown_seconds" }, number)
  local bucket = not seconds and exhausted(headers)
  if bucket and bucket.reset then seconds = reset_seconds(bucket.reset, now) end
  if not seconds and (kind == "rate_limit" or kind == "budget_exceeded" or kind == "server") then
    seconds = after_words(message)
  end
  return seconds and integral(math.max(0, seconds))
end

-- ---------------------------------------------------------------------------------------------------------
-- policy_name

local POLICY_FIELDS = {
  "policy_name", "policy", "rule", "guardrail_name", "guardrail", "interveningGuardrail", "intervening_guardrail",
}

local function name_of(value)
  if type(value) == "string" then return value ~= "" and value or nil end
  if type(value) ~= "table" then return nil end
  return name_of(value.name) or name_of(value.id) or name_of(value.policy_name) or name_of(value[1])
end

local function denying_hook(body)
  local results = type(body) == "table" and body.hook_results
  if type(results) ~= "table" then return nil end
  for _, list in ipairs({ results.before_request_hooks or {}, results.after_request_hooks or {} }) do
    for _, hook in ipairs(list) do
      if type(hook) == "table" and (hook.deny == true or hook.verdict == false) then
        return name_of(hook.name) or name_of(hook.id)
      end
    end
  end
end

local function filtered_category(place)
  local found
  for category, result in pairs(type(place) == "table" and place or {}) do
    if type(result) == "table" and result.filtered == true and (not found or category < found) then found = category end
  end
  return found
end

local function content_filter(inner, body)
  local innererror = type(inner.innererror) == "table" and inner.innererror or {}
  for _, place in ipairs({ innererror, inner, type(body) == "table" and body or {} }) do
    local found = filtered_category(place.content_filter_result or place.content_filter_results)
    if found then return found end
  end
end

-- "Rule 'A' matched, Rule 'B' matched": the last one decided.
local function matched_rule(message)
  local found
  for name in (message or ""):gmatch("Rule '(.-)' matched") do found = name end
  return found
end

-- Which policy denied, or nil.
function M.policy_name(inner, body, message)
  return first_field(inner, body, POLICY_FIELDS, name_of)
    or denying_hook(inner) or denying_hook(body)
    or first_field(inner, body, { "policies_blocking" }, name_of)
    or content_filter(inner, body)
    or first_field(inner, body, { "reasons" }, name_of)
    or matched_rule(message)
end

-- Whether a moderation says why it denied.
function M.has_reasons(inner, body)
  return first_field(inner, body, { "reasons" }, name_of) ~= nil
end

-- ---------------------------------------------------------------------------------------------------------
-- limit, current, budget_type

local NUMBER = "(%-?[%d.]*%d)"

local LIMIT_WORDS = {
  "[Mm]ax [Bb]udget: %$?" .. NUMBER, "Budget=%$?" .. NUMBER, "cost limit %$?" .. NUMBER .. " per",
  "Current limit: %$?" .. NUMBER,
}
local CURRENT_WORDS = { "Current cost: %$?" .. NUMBER, "Spend=%$?" .. NUMBER }

local function from_words(message)
  local limit, current = number(first_match(message, LIMIT_WORDS)), number(first_match(message, CURRENT_WORDS))
  local remaining = number(first_match(message, { "Remaining: %$?" .. NUMBER }))
  if not current and limit and remaining then current = limit - remaining end
  return limit, current
end

local function from_headers(headers)
  local bucket = exhausted(headers)
  if not bucket or not bucket.limit then return nil end
  return bucket.limit, bucket.limit - bucket.remaining
end

-- The limit of a budget or a rate, and how much of it is used; each may be nil.
function M.limits(inner, body, headers, message)
  local limit = first_field(inner, body, { "limit", "max_budget", "budget_limit", "hard_limit" }, number)
  local current = first_field(inner, body, { "current", "current_spend", "spend" }, number)
  local said_limit, said_current = from_words(message)
  limit, current = limit or said_limit, current or said_current
  if not limit and not current then limit, current = from_headers(headers) end
  return integral(limit), integral(current)
end

-- "monthly", "DAILY", ... or nil.
function M.budget_type(inner, body)
  return first_field(inner, body, { "budget_type", "period" }, function(value)
    return type(value) == "string" and value ~= "" and value or nil
  end)
end

return M
