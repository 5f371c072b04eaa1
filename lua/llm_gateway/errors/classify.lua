-- errors/classify.lua: what kind of error a gateway's answer is.
-- Leans on the meanings of gateways/ for what statuses, codes and words stand for. Asks, in this order: the outcome, a
-- telling status, codes and words of a refusal, what is too large, the other codes, the other words, the status.

local said = require("llm_gateway.gateways.said")
local scalars = require("llm_gateway.scalars")

local M = {}

local REFUSALS = { "policy_denied", "budget_exceeded" }
local OTHERS = { "authentication", "rate_limit", "timeout", "not_found" }
local WORDS_OF_OTHERS = { "authentication", "rate_limit", "timeout", "validation", "server" }

local STATUSES = {
  [401] = "authentication", [403] = "authentication", [429] = "rate_limit", [404] = "not_found", [408] = "timeout",
  [504] = "timeout",
}

-- Statuses that say little of what is wrong: words and codes know better.
local VAGUE = { [400] = true, [403] = true, [422] = true, [424] = true, [429] = true }

local function is_vague(status)
  return status == nil or status < 300 or status >= 500 or VAGUE[status] == true
end

-- BudgetExceeded, budget-exceeded and BUDGET_EXCEEDED are one code.
local function normalized(code)
  return (scalars.lower((code:gsub("(%l)(%u)", "%1_%2"))):gsub("[-%s./]+", "_"))
end

local function by_pattern(code, meanings)
  local patterns = meanings.code_patterns
  for i = 1, #patterns do
    if code:find(patterns[i][1]) then return patterns[i][2] end
  end
end

local LONGEST_CODE = 100 -- bytes; a sentence in a code's place is no code

-- Which kinds the codes stand for: {kind = true}; and the codes that say less than what is beside them.
local function kinds_of(codes, meanings)
  local kinds, vague, asked = {}, {}, {}
  for i = 1, #codes do
    local code = codes[i]
    if not asked[code] and #code <= LONGEST_CODE and code:find("^[%w_.:/-]+$") then
      local name = normalized(code)
      local kind = meanings.codes[name]
      if kind == "vague" then table.insert(vague, name) else kind = kind or by_pattern(name, meanings) end
      if kind then kinds[kind] = true end
    end
    asked[code] = true
  end
  return kinds, vague
end

local function first_of(kinds, order)
  for i = 1, #order do
    if kinds[order[i]] then return order[i] end
  end
end

local function said_first(facts, order, meanings)
  local told = facts.told()
  for i = 1, told and #order or 0 do
    if said.says(meanings.words[order[i]], told) then return order[i] end
  end
end

local function by_status(status)
  if STATUSES[status] then return STATUSES[status] end
  if status and status >= 400 and status <= 499 then return "validation" end
  return "server"
end

-- "Not found" says little, for anything may be missing: a status that is specific goes first.
local function by_other_codes(kinds, status)
  local kind = first_of(kinds, OTHERS)
  if kind == "not_found" and not is_vague(status) then return nil end
  if kind == "not_found" and status and status >= 500 then return nil end
  return kind
end

local function of_refusal(facts, kinds, meanings)
  local outcome = facts.outcome and meanings.outcomes[scalars.lower(facts.outcome)]
  local status = meanings.statuses[facts.status]
  return outcome or (status ~= "too_large" and status) or first_of(kinds, REFUSALS)
    or (facts.has_reasons and facts.status == 403 and "policy_denied")
    or said_first(facts, REFUSALS, meanings)
    or (facts.has_guardrail and is_vague(facts.status) and "policy_denied") or nil
end

local function is_too_large(facts, kinds, meanings)
  if meanings.statuses[facts.status] == "too_large" or kinds.too_large then return true end
  return is_vague(facts.status) and said_first(facts, { "too_large" }, meanings) ~= nil
end

local function of_others(facts, kinds, vague, meanings)
  local kind = by_other_codes(kinds, facts.status)
  if not kind and is_vague(facts.status) then kind = said_first(facts, WORDS_OF_OTHERS, meanings) end
  if kind or not is_vague(facts.status) then return kind end
  for i = 1, #vague do
    kind = kind or by_pattern(vague[i], meanings)
  end
  return kind
end

-- facts: outcome, status, codes (a list of texts), told (a function that returns the words as gateways/said.lua takes
-- them, or nil), has_reasons (a moderation's), has_guardrail (one is named); meanings: what gateways mean.
-- Returns a kind, and whether it is one of a request that is too large, or of a budget that other calls hold for now.
function M.kind(facts, meanings)
  local kinds, vague = kinds_of(facts.codes, meanings)
  local kind = of_refusal(facts, kinds, meanings)
  if kind == "budget_exceeded" then
    return kind, kinds.in_flight and "in_flight" or said_first(facts, { "in_flight" }, meanings)
  end
  if kind then return kind end
  if is_too_large(facts, kinds, meanings) then return "validation", "too_large" end
  return of_others(facts, kinds, vague, meanings) or by_status(facts.status)
end

return M
