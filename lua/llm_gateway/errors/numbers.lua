-- errors/numbers.lua: the limit of a budget, a rate or a size, and how much of it is used.
-- Leans on the templates of gateways/ for words. Never takes a number of something else: the headers of a request rate
-- say nothing of a budget.

local said = require("llm_gateway.gateways.said")
local scalars = require("llm_gateway.scalars")

local M = {}

local function take(numbers, found)
  for name, value in next, found do
    if numbers[name] == nil then numbers[name] = value end
  end
end

-- What the words say: {limit, current, remaining}, each of which may be nil.
local function from_words(told, meanings)
  local numbers = {}
  if not told then return numbers end
  said.read(meanings.said.numbers, told, function(found)
    local pair = found.limit and (found.current or found.remaining)
    if pair and not (numbers.limit and numbers.current) then numbers = {} end -- two that belong together go first
    take(numbers, found)
    return pair ~= nil
  end)
  return numbers
end

local function used(numbers)
  if numbers.current then return numbers.current end
  return numbers.limit and numbers.remaining and scalars.number(numbers.limit - numbers.remaining) or nil
end

-- Limit and use, each of which may be nil. kind: the error's; facts: the body's; told: a function that returns the
-- words, or nil; rate: what a rate limit's headers say, or nil.
function M.limits(kind, facts, told, rate, meanings)
  local limit, current = facts.limit, used(facts)
  if kind == "validation" then limit, current = facts.size_limit, facts.size end
  local words = limit and current and facts or from_words(told(), meanings)
  limit, current = limit or words.limit, current or used(words)
  if not limit and not current and kind == "rate_limit" and rate then return rate.limit, rate.current end
  return limit and scalars.integral(limit), current and scalars.integral(current)
end

return M
