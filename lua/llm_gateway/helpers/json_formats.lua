-- helpers/json_formats.lua: the values of JSON Schema's `format` that are checked: those that gateways document.
-- Leans on nothing. Each function takes a text and returns whether it is in that format.

local M = {}

local function between(text, low, high)
  local number = tonumber(text)
  return number ~= nil and number >= low and number <= high
end

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function days_in(year, month)
  local is_leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and is_leap and 29 or DAYS[month]
end

function M.date(text)
  local year, month, day = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$")
  return year ~= nil and between(month, 1, 12) and between(day, 1, days_in(tonumber(year), tonumber(month)))
end

local function is_offset(text)
  local hours, minutes = text:match("^[+-](%d%d):(%d%d)$")
  return text:find("^[Zz]$") ~= nil or (between(hours, 0, 23) and between(minutes, 0, 59))
end

-- A second 60 is a leap second.
function M.time(text)
  local hours, minutes, seconds, rest = text:match("^(%d%d):(%d%d):(%d%d)(.*)$")
  if not (between(hours, 0, 23) and between(minutes, 0, 59) and between(seconds, 0, 60)) then return false end
  return is_offset((rest:gsub("^%.%d+", "")))
end

M["date-time"] = function(text)
  local date, time = text:match("^(.-)[Tt](.*)$")
  return date ~= nil and M.date(date) and M.time(time)
end

-- "P1DT12H" (ISO 8601): the units in their order, one at least.
function M.duration(text)
  if text:find("^P%d+W$") then return true end
  local date, time = text:match("^P([^T]*)T?(.*)$")
  if not date or text:find("T$") or date .. time == "" then return false end
  local rest = date:gsub("^%d+Y", ""):gsub("^%d+M", ""):gsub("^%d+D", "")
  return rest == "" and time:gsub("^%d+H", ""):gsub("^%d+M", ""):gsub("^%d+%.?%d*S", "") == ""
end

function M.hostname(text)
  if #text > 253 then return false end
  for label in (text .. "."):gmatch("([^.]*)%.") do
    if #label > 63 or not label:find("^%w[%w-]*$") or label:find("%-$") then return false end
  end
  return true
end

function M.email(text)
  local name, host = text:match("^([^%s@]+)@([^@]+)$")
  return name ~= nil and M.hostname(host)
end

function M.ipv4(text)
  local parts = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for _, part in ipairs(parts) do
    if not between(part, 0, 255) or part:find("^0%d") then return false end
  end
  return parts[1] ~= nil
end

-- How many 16-bit groups a text of them has; nil when it has something else too.
local function groups_of(text)
  if text == "" then return 0 end
  local count = 0
  for group in (text .. ":"):gmatch("([^:]*):") do
    count = count + 1
    if not group:find("^%x%x?%x?%x?$") then return nil end
  end
  return count
end

function M.ipv6(text)
  local head, v4 = text:match("^(.*:)(%d+%.%d+%.%d+%.%d+)$")
  if v4 and not M.ipv4(v4) then return false end
  if v4 then text = head .. "0:0" end
  local before, after = text:match("^(.-)::(.*)$")
  if not before then return groups_of(text) == 8 end
  local left, right = groups_of(before), groups_of(after)
  return left ~= nil and right ~= nil and left + right < 8
end

function M.uuid(text)
  return #text == 36 and text:find("^%x+%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x+$") == 1 and text:find("-", 1, true) == 9
end

function M.uri(text)
  return text:find("^%a[%w+.-]*:[^%s%c<>\"{}|\\^`]+$") ~= nil
end

return M
