-- http/date.lua: dates as gateways write them, as seconds since 1970.
-- Leans on libcurl (core.date) for the dates of HTTP (RFC 9110, 5.6.7); those of RFC 3339 are put into its form.

local core = require("llm_gateway.core")

local M = {}

local LONGEST = 100 -- bytes of a date
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- Seconds that a zone lies east of Greenwich: "Z", "UTC" and none are 0.
local function offset_of(zone)
  local sign, hours, minutes = zone:match("^%s*([+-])(%d%d):?(%d%d)")
  if not sign then return 0 end
  local seconds = hours * 3600 + minutes * 60
  return sign == "+" and seconds or -seconds
end

-- Of "2030-01-01T00:00:30.5Z", "2026-01-01 00:01:00 UTC", "2026-01-01 at 00:00 UTC": date, clock and what follows.
local function parts_of(text)
  local year, month, day, rest = text:match("^(%d%d%d%d)-(%d%d)-(%d%d)(.*)$")
  if not year then return nil end
  local hours, minutes, after = rest:match("^[Tt ]%s*a?t?%s*(%d%d):(%d%d)(.*)$")
  if not hours then return year, month, day, "00", "00", "" end
  return year, month, day, hours, minutes, after
end

local function rfc3339(text)
  local year, month, day, hours, minutes, after = parts_of(text)
  local name = year and MONTHS[tonumber(month)]
  if not name then return nil end
  local seconds, fraction, zone = after:match("^:(%d%d)(%.?%d*)(.*)$")
  if after:find("^:") and not seconds then return nil end
  local whole = core.date(("%s %s %s %s:%s:%s GMT"):format(day, name, year, hours, minutes, seconds or "00"))
  return whole and whole + (tonumber("0" .. (fraction or "")) or 0) - offset_of(zone or after)
end

-- Seconds since 1970 (UTC), or nil when the text is no date.
function M.parse(text)
  if #text > LONGEST then return nil end
  if text:find("^%d%d%d%d%-") then return rfc3339(text) end
  return text:find("%d%d:%d%d:%d%d") and text:find("%a%a%a") and core.date(text) or nil
end

return M
