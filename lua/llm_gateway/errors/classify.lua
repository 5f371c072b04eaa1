-- errors/classify.lua: what kind of error a gateway's answer is.
-- Leans on errors/values.lua. Asks, in this order: the outcome, a telling status, the codes, the words (where the
-- status is vague), the status.

local values = require("llm_gateway.errors.scalars")

local M = {}

local OUTCOMES = {
  denied_policy = "policy_denied", denied_abuse = "policy_denied", denied_feature = "policy_denied",
  denied_budget = "budget_exceeded",
}

local TELLING_STATUSES = { [446] = "policy_denied", [402] = "budget_exceeded", [412] = "budget_exceeded" }

-- Patterns over codes in lower case, in the order they are asked.
local CODES = {
  { "policy_denied", {
    "^request_denied$", "^policy_", "policy_violation", "^feature_not_allowed$", "^security_blocked$", "^hooks_failed$",
    "content_filter", "^content_policy", "guardrail", "^moderation",
  } },
  { "budget_exceeded", {
    "^budget_", "_budget_exceeded$", "budgetexceeded", "insufficient_quota", "insufficient_credits",
    "^plan_limit_exceeded$", "spend_limit", "^quota_exceeded$", "^billing_", "^credit_",
  } },
  { "authentication", {
    "^auth_", "^authentication_", "invalid_api_key", "^api_key_invalid$",
    "^unauthorized$", "^permission_error$", "^permission_denied$",
  } },
  { "rate_limit", { "^rate_limit", "^ratelimit", "^too_many_requests$", "^throttl" } },
  { "not_found", { "^not_found", "^model_not_found$" } },
}

local VAGUE = { [400] = true, [403] = true, [429] = true }

local WORDS = {
  { "policy_denied", { "violated guardrail policy", "guardrail policy", "content management policy" } },
  { "budget_exceeded", { "budget has been exceeded", "exceededbudget", "spend limit exceeded", "over budget" } },
}

local STATUSES = {
  [401] = "authentication", [403] = "authentication", [429] = "rate_limit", [404] = "not_found", [408] = "timeout",
  [504] = "timeout",
}

local function matching(rules, text)
  for _, rule in ipairs(rules) do
    for _, pattern in ipairs(rule[2]) do
      if text:find(pattern) then return rule[1] end
    end
  end
end

-- BudgetExceeded, budget-exceeded and BUDGET_EXCEEDED are one code.
local function normalized(code)
  return values.lower((code:gsub("(%l)(%u)", "%1_%2"))):gsub("[-%s.]", "_")
end

local function first_kind(codes, rules)
  for _, rule in ipairs(rules) do
    for _, code in ipairs(codes) do
      if matching({ rule }, (normalized(code))) then return rule[1] end
    end
  end
end

-- LiteLLM says `auth_error` of much that its door turns away, budgets too: the words know better. A sentence in a
-- code's place is no code.
local function split(codes)
  local telling, vague = {}, {}
  for _, code in ipairs(codes) do
    local list = normalized(code) == "auth_error" and vague or telling
    if code:find("^[%w_.-]+$") then table.insert(list, code) end
  end
  return telling, vague
end

-- What is not found may be anything: there a status that says what it is knows better.
local function by_code(codes, status)
  local kind = first_kind(codes, CODES)
  if kind ~= "not_found" or status == nil or status < 300 or VAGUE[status] then return kind end
end

local function by_status(status)
  if STATUSES[status] then return STATUSES[status] end
  if status and status >= 400 and status <= 499 then return "validation" end
  return "server"
end

-- facts: outcome, status, codes (a list of texts, most telling first), message, has_reasons (a moderation's).
-- Returns a kind.
function M.kind(facts)
  local codes, vague = split(facts.codes)
  local outcome = values.lower(facts.outcome or "")
  local kind = OUTCOMES[outcome] or TELLING_STATUSES[facts.status] or by_code(codes, facts.status)
  if kind then return kind end
  if facts.has_reasons and facts.status == 403 then return "policy_denied" end
  if VAGUE[facts.status] and facts.message then kind = matching(WORDS, values.lower(facts.message)) end
  return kind or by_code(vague, facts.status) or by_status(facts.status)
end

return M
