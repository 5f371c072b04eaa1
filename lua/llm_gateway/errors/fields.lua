-- errors/fields.lua: reads out of a refusal what a program can act on: when to come back, which policy, what
-- limit, how much of it is used. Leans on errors/waits.lua, errors/unwrap.lua and errors/values.lua. Never invents
-- a value: what is not there is nil.

local unwrap = require("llm_gateway.errors.unwrap")
local values = require("llm_gateway.errors.scalars")
local waits = require("llm_gateway.errors.retry_after")

local number, integral = values.number, values.integral

local M = {}

local AROUND = {
  "details", "metadata", "error_details", "data", "message", "innererror", "provider_specific_fields",
}

local function add_around(list, place)
  table.insert(list, place)
  for _, name in ipairs(AROUND) do
    local beside = place[name]
    if type(beside) == "table" then
      if beside[1] == nil then table.insert(list, beside) end
      for _, item in ipairs(beside) do
        if type(item) == "table" then table.insert(list, item) end
      end
    end
  end
end

-- The tables where a field may be, the nearest first.
local function places(inner, body)
  local list = {}
  add_around(list, inner)
  if type(body) == "table" and body ~= inner then add_around(list, body) end
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

local WAIT_FIELDS = { "retry_after", "retry_after_seconds", "retryAfter", "cooldown_seconds", "retryDelay" }

local function span_or_date(value)
  return type(value) == "number" and number(value) or unwrap.text(value)
end

-- Seconds to wait before a repeat makes sense, or nil.
function M.retry_after(kind, inner, body, headers, message)
  return waits.retry_after(kind, headers, message, first_field(inner, body, WAIT_FIELDS, span_or_date))
end

-- ---------------------------------------------------------------------------------------------------------
-- policy_name

local POLICY_FIELDS = {
  "policy_name", "policy", "rule", "guardrail_name", "guardrail", "interveningGuardrail", "intervening_guardrail",
}

local function name_of(value)
  if type(value) ~= "table" then return values.text(value) end
  return name_of(value.name) or name_of(value.id) or name_of(value.policy_name) or name_of(value[1])
end

-- A hook may fail without denying; where a gateway leaves `deny` out, having failed is all there is to go by.
local function denied(hook, certain)
  if type(hook) ~= "table" then return false end
  if certain then return hook.deny == true and hook.verdict ~= true end
  return hook.deny == nil and hook.verdict == false
end

local function first_hook(results, certain)
  for _, when in ipairs({ "before_request_hooks", "after_request_hooks" }) do
    local list = results[when]
    for _, hook in ipairs(type(list) == "table" and list or {}) do
      if denied(hook, certain) then return name_of(hook.name) or name_of(hook.id) end
    end
  end
end

local function denying_hook(body)
  local results = type(body) == "table" and body.hook_results
  if type(results) ~= "table" then return nil end
  return first_hook(results, true) or first_hook(results, false)
end

local function filtered_category(place)
  local found
  for category, result in pairs(type(place) == "table" and place or {}) do
    if type(result) == "table" and result.filtered == true and (not found or category < found) then found = category end
  end
  return found
end

local function content_filter(inner, body)
  for _, place in ipairs(places(inner, body)) do
    local within = type(place.innererror) == "table" and place.innererror or place
    for _, holder in ipairs({ within, place }) do
      local found = filtered_category(holder.content_filter_result or holder.content_filter_results)
      if found then return found end
    end
  end
end

local RULES_WITHIN = 8192 -- bytes of a message

-- "Rule 'A' matched, Rule 'B' matched": the last one decided.
local function matched_rule(message)
  local found
  for name in (message or ""):sub(1, RULES_WITHIN):gmatch("Rule '(.-)' matched") do found = name end
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

-- Patterns over words in lower case; N stands for a number, which Python writes as 1e-05 when it is small, and others
-- as 1,000.00 when it is large.
local NUMBERS = { "%$?(%-?[%d.]*%d[e][+-]?%d+)", "%$?(%-?[%d.,]*%d)" }
local LIMIT_WORDS = { "max budget: N", "budget=N", "cost limit N per", "current limit: N", "limit:? N, used:? " }
local CURRENT_WORDS = { "current cost: N", "spend=N", "limit:? %$?[%d.,]+, used:? N" }

local function said(message, patterns)
  for _, pattern in ipairs(patterns) do
    for _, form in ipairs(NUMBERS) do
      local digits = message:match((pattern:gsub("N", (form:gsub("%%", "%%%%")))))
      local found = digits and number((digits:gsub(",", "")))
      if found then return found end
    end
  end
end

local function from_words(message)
  local words = values.lower(message or "")
  local limit, current = said(words, LIMIT_WORDS), said(words, CURRENT_WORDS)
  local remaining = said(words, { "remaining: N" })
  if not current and limit and remaining then current = number(limit - remaining) end
  return limit, current
end

-- The limit of a budget or a rate, and how much of it is used; each may be nil.
function M.limits(inner, body, headers, message)
  local limit = first_field(inner, body, { "limit", "max_budget", "budget_limit", "hard_limit" }, number)
  local current = first_field(inner, body, { "current", "current_spend", "spend" }, number)
  local said_limit, said_current = from_words(message)
  limit, current = limit or said_limit, current or said_current
  if not limit and not current then limit, current = waits.limits(headers) end
  return limit and integral(limit), current and integral(current)
end

-- "monthly", "DAILY", ... or nil.
function M.budget_type(inner, body)
  return first_field(inner, body, { "budget_type", "period" }, unwrap.text)
end

return M
