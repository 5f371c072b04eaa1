-- errors/dates.lua: dates of HTTP (RFC 9110, 5.6.7) and of RFC 3339, as seconds since 1970.
-- Leans on nothing, least of all on the machine's time zone or locale.

local M = {}

local LONGEST = 100 -- bytes of a date

local MONTHS = {
  jan = 1, feb = 2, mar = 3, apr = 4, may = 5, jun = 6, jul = 7, aug = 8, sep = 9, oct = 10, nov = 11, dec = 12,
}

-- Days from 1970-01-01 to a day of the Gregorian calendar; years are counted from March, so that the leap day is
-- a year's last.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 1 - 719468
end

local function moment(year, month, day, hour, minute, second)
  year, month, day = tonumber(year), tonumber(month) or MONTHS[month:lower()], tonumber(day)
  second = tonumber(second)
  if not month or not second then return nil end
  if year < 70 then year = year + 2000 elseif year < 100 then year = year + 1900 end
  local total = days(year, month, day) * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + second
  if total > -math.huge and total < math.huge then return total end
end

local function http_date(text)
  local day, month, year, h, m, s = text:match("(%d+)[ -](%a%a%a)[ -](%d+) (%d+):(%d+):(%d+)")
  if day then return moment(year, month, day, h, m, s) end
  month, day, h, m, s, year = text:match("%a+ (%a%a%a) +(%d+) (%d+):(%d+):(%d+) (%d+)")
  return month and moment(year, month, day, h, m, s)
end

local function rfc3339(text)
  local year, month, day, h, m, s, zone = text:match("^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):([%d.]+)(.*)$")
  local seconds = year and moment(year, month, day, h, m, s)
  if not seconds then return nil end
  local sign, zone_hours, zone_minutes = zone:match("([+-])(%d%d):?(%d%d)")
  if not sign then return seconds end
  local offset = tonumber(zone_hours) * 3600 + tonumber(zone_minutes) * 60
  return sign == "+" and seconds - offset or seconds + offset
end

-- Seconds since 1970 (UTC), or nil when the text is no date.
function M.parse(text)
  if #text > LONGEST then return nil end
  return rfc3339(text) or http_date(text)
end

return M
