-- devgateway/arithmetic.lua: the value of an arithmetic expression found in a question ("2 * (3 + 4)").
-- A recursive descent over + - * / ^ ( ) and decimal numbers; leans on nothing.
-- Never evaluates Lua.

local MAX_DEPTH = 50

local sum

local function skip(state)
  state.at = state.text:match("^%s*()", state.at)
end

local function take(state, pattern)
  skip(state)
  local found, after = state.text:match("^(" .. pattern .. ")()", state.at)
  if found then state.at = after end
  return found
end

local function number(state)
  return tonumber(take(state, "%d+%.?%d*"))
end

local function deeper(state, parse)
  state.depth = state.depth + 1
  if state.depth > MAX_DEPTH then return nil end
  local value = parse(state)
  state.depth = state.depth - 1
  return value
end

local function atom(state)
  if not take(state, "%(") then return number(state) end
  local value = deeper(state, sum)
  return value and take(state, "%)") and value
end

local function factor(state)
  if take(state, "%-") then
    local value = deeper(state, factor)
    return value and -value
  end
  local base = atom(state)
  if not base or not take(state, "%^") then return base end
  local exponent = deeper(state, factor)
  return exponent and base ^ exponent
end

local APPLY = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["/"] = function(a, b) return a / b end,
}

local function chain(operand, operators)
  return function(state)
    local value = operand(state)
    while value do
      local operator = take(state, operators)
      if not operator then return value end
      local right = operand(state)
      value = right and APPLY[operator](value, right)
    end
  end
end

sum = chain(chain(factor, "[*/]"), "[+-]")

local function show(value)
  if value ~= value or value == math.huge or value == -math.huge then return "undefined" end
  if value % 1 == 0 and math.abs(value) < 1e15 then return ("%.0f"):format(value) end
  return ("%.10g"):format(value)
end

local WORDS = { plus = "+", minus = "-", times = "*" }

local M = {}

-- The first expression in the text that holds an operator: its text and its value as text, or nil.
function M.find(text)
  text = text:gsub("divided by", "/"):gsub("%a+", WORDS)
  for start in text:gmatch("()[%(%-%d]") do
    local state = { text = text, at = start, depth = 0 }
    local value = sum(state)
    local source = text:sub(start, state.at - 1):gsub("%s+$", "")
    if value and source:find("%d%s*%)*%s*[%+%-%*/%^]") then return source, show(value) end
  end
end

return M
