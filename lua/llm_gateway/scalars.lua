-- scalars.lua: plain text, numbers and spans of time out of what gateways write, in any locale.
-- Leans on Lua's string library only. Never guesses: what is not clearly a value is nil.

local M = {}

local tointeger = rawget(math, "tointeger")
local LOWER = {}
for byte = 65, 90 do LOWER[string.char(byte)] = string.char(byte + 32) end

local NOTHING = { [""] = true, none = true, null = true, ["nil"] = true, undefined = true }

local SECONDS = {
  s = 1, sec = 1, secs = 1, second = 1, seconds = 1,
  m = 60, min = 60, mins = 60, minute = 60, minutes = 60,
  h = 3600, hr = 3600, hrs = 3600, hour = 3600, hours = 3600,
  d = 86400, day = 86400, days = 86400,
  w = 604800, week = 604800, weeks = 604800,
}
local PER_SECOND = { ms = 1000, msec = 1000, millisecond = 1000, milliseconds = 1000, us = 1000000 }

-- lower(text) -> text with A to Z in lower case; the locale has no say (string.lower asks it).
function M.lower(text)
  return (text:gsub("[A-Z]", LOWER))
end

-- trim(text) -> text without blanks around it, in time linear in the text.
function M.trim(text)
  local from = text:find("%S")
  return from and text:match("^.*%S", from) or ""
end

-- integral(n) -> the same number, an integer where Lua has them and it is a whole one.
function M.integral(number)
  return tointeger and tointeger(number) or number
end

local LONGEST_NOTHING = 9 -- bytes: "undefined"

-- text(value) -> a text that says something, without blanks around it; or nil. Gateways write their nulls out: "None".
function M.text(value)
  if type(value) ~= "string" then return nil end
  if #value > LONGEST_NOTHING and value:find("^%S.*%S$") then return value end
  local trimmed = M.trim(value)
  if NOTHING[M.lower(trimmed)] then return nil end
  return trimmed
end

-- says(value) -> whether a field of an answer says something: a text that does, a table with anything in it, any other
-- value but nil, false and 0.
function M.says(value)
  if type(value) == "string" then return M.text(value) ~= nil end
  if type(value) == "table" then return next(value) ~= nil end
  return value ~= nil and value ~= false and value ~= 0
end

-- as_text(value) -> the same as text(value); a number becomes text.
function M.as_text(value)
  if type(value) == "number" then return (value % 1 == 0 and "%.0f" or "%.14g"):format(value) end
  return M.text(value)
end

-- tonumber asks the locale for its decimal sign on some Lua versions; digits over a power of ten do not.
local function decimal(text)
  local known = tonumber(text)
  if known then return known end
  local sign, whole, fraction = text:match("^([+-]?)(%d*)%.(%d*)$")
  local digits = whole and tonumber(whole .. fraction)
  if not digits then return nil end
  local value = digits / 10 ^ #fraction
  return sign == "-" and -value or value
end

local function scientific(text)
  local mantissa, exponent = text:match("^([+-]?[%d.]+)[eE]([+-]?%d%d?%d?)$")
  if not mantissa then return nil end
  local known = tonumber(text)
  if known then return known end
  local value = decimal(mantissa)
  return value and value * 10 ^ tonumber(exponent)
end

-- number(value) -> a finite number, or nil. Text that is a plain decimal number counts, a "$" before it too.
function M.number(value)
  if type(value) == "string" then
    local text = M.trim(value):gsub("^%$%s*", "")
    value = text:find("^[+-]?[%d.]+$") and decimal(text) or scientific(text)
  end
  if type(value) ~= "number" or value ~= value or value >= math.huge or value <= -math.huge then return nil end
  return M.integral(value)
end

local function one_span(text)
  local amount, unit, rest = text:match("^%s*(%d+%.?%d*)%s*(%a+)(.*)$")
  local number = amount and M.number(amount) -- nil for more digits than a number holds
  if not number then return nil end
  if SECONDS[unit] then return M.number(number * SECONDS[unit]), rest end
  if PER_SECOND[unit] then return number / PER_SECOND[unit], rest end
  return nil
end

-- "2.07:01:20" (days, hours, minutes, seconds), "07:01:20".
local function clock_span(text)
  local days, hours, minutes, seconds, rest = text:match("^(%d*)%.?(%d%d):(%d%d):(%d%d)(.*)$")
  if not hours or #days > 6 or rest:find("^[%d:]") then return nil end
  return (tonumber(days) or 0) * 86400 + hours * 3600 + minutes * 60 + seconds, rest
end

local LONGEST_SPAN = 200 -- bytes; a hostile text may have any number of digits and units

-- span(text) -> seconds at the start of lower-case text ("6m0s", "21 minutes and 33 seconds", "2.07:01:20"), the rest;
-- or nil.
function M.span(text)
  text = text:sub(1, LONGEST_SPAN)
  local total, rest = clock_span(text)
  if total then return total, rest end
  total, rest = one_span(text)
  if not total then return nil end
  while true do
    local tail = rest:match("^%s+and%s+(%d.*)$") or rest:match("^,?%s*(%d.*)$")
    local more, after = one_span(tail or "")
    if not more then return M.number(total), rest end
    total, rest = total + more, after
  end
end

local ISO = { D = 86400, H = 3600, M = 60, S = 1 }

-- "PT1M30S" (ISO 8601), in days and less.
local function iso_span(text)
  local days, clock = text:match("^P(%d*D?)T?([%d.HMS]*)$")
  if not days or (days == "" and clock == "") then return nil end
  local total = 0
  for amount, unit in (days .. clock):gmatch("([%d.]+)(%u)") do
    local number = M.number(amount)
    if not number then return nil end
    total = total + number * ISO[unit]
  end
  return M.number(total)
end

-- duration(value) -> seconds that the whole value stands for: 12, "12", "6m0s", "120ms"; or nil.
function M.duration(value)
  local plain = M.number(value)
  if plain or type(value) ~= "string" or #value > LONGEST_SPAN then return plain end
  if value:find("^P") then return iso_span(value) end
  local seconds, rest = M.span(M.lower(value))
  if seconds and not rest:find("%S") then return seconds end
  return nil
end

-- beginning(text, limit) -> its first bytes, limit at most, never cut inside a UTF-8 character.
function M.beginning(text, limit)
  if #text <= limit then return text end
  local cut = limit
  while cut > 0 and text:byte(cut + 1) >= 0x80 and text:byte(cut + 1) < 0xC0 do cut = cut - 1 end
  return text:sub(1, cut)
end

-- clip(text, limit) -> its beginning (and "...").
function M.clip(text, limit)
  return #text <= limit and text or M.beginning(text, limit) .. "..."
end

return M
