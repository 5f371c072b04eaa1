-- errors/retry_after.lua: how long to wait before a repeat, and what of a rate limit is used up.
-- Leans on http/date.lua and http/ratelimit.lua. Never invents a wait: what is not said is nil.

local dates = require("llm_gateway.http.date")
local ratelimit = require("llm_gateway.http.ratelimit")
local scalars = require("llm_gateway.scalars")

local number, duration = scalars.number, scalars.duration

local M = {}

local EPOCH_FROM = 1e9 -- a wait this long is a moment since 1970
local EPOCH_MS_FROM = 1e12

-- Seconds, never negative, that a span ("6m0s", 12), a date or a moment since 1970 means; or nil.
local function seconds_until(value, now)
  local seconds = duration(value)
  if not seconds then
    local moment = type(value) == "string" and dates.parse(scalars.trim(value))
    return moment and math.max(0, moment - now) or nil
  end
  if seconds >= EPOCH_MS_FROM then seconds = seconds / 1000 end
  if seconds >= EPOCH_FROM then seconds = seconds - now end
  return math.max(0, seconds)
end

-- A gateway and its upstream may each have written one ("5, 5"): the longest holds. A date has a comma too.
local function seconds_of_header(text, now)
  local seconds = seconds_until(text, now)
  if seconds or not text:find(",", 1, true) or #text > 200 then return seconds end
  for part in text:gmatch("[^,]+") do
    local one = number(part)
    if one and (not seconds or one > seconds) then seconds = math.max(0, one) end
  end
  return seconds
end

local function first_header(headers, names, convert, now)
  for i = 1, #names do
    local text = headers[names[i]]
    local seconds = text and convert(text, now)
    if seconds then return seconds end
  end
end

local function milliseconds(text)
  local ms = number(text)
  return ms and math.max(0, ms / 1000)
end

local function after_headers(headers, names, now)
  return first_header(headers, names.retry_after_ms.exact, milliseconds, now)
    or first_header(headers, names.retry_after.exact, seconds_of_header, now)
end

-- ---------------------------------------------------------------------------------------------------------
-- Buckets

local function name_order(buckets)
  local names = {}
  for name in pairs(buckets) do table.insert(names, name) end
  table.sort(names) -- so that the same headers always give the same answer
  return names
end

-- The used-up bucket that takes longest to fill again, and how long; nil when none is.
local function exhausted(buckets, now)
  local worst, wait
  local shared = buckets.requests and buckets.requests.reset
  for _, name in ipairs(name_order(buckets)) do
    local bucket = buckets[name]
    if bucket.remaining and bucket.remaining <= 0 then
      local seconds = seconds_until(bucket.reset or shared, now)
      local longer = worst and (seconds or -1) > (wait or -1)
      local fuller = worst and seconds == wait and bucket.limit and not worst.limit
      if not worst or longer or fuller then worst, wait = bucket, seconds end
    end
  end
  return worst, wait
end

-- The longest wait that buckets name which say nothing of what is left.
local function named_wait(buckets, now)
  local longest, silent = nil, true
  for _, bucket in pairs(buckets) do
    silent = silent and bucket.remaining == nil
    local seconds = bucket.retry_after and seconds_until(bucket.retry_after, now)
    if seconds and (not longest or seconds > longest) then longest = seconds end
  end
  if longest or not silent then return longest end
  for _, bucket in pairs(buckets) do
    local seconds = bucket.reset and seconds_until(bucket.reset, now)
    if seconds and (not longest or seconds > longest) then longest = seconds end
  end
  return longest
end

local function only_bucket(buckets)
  local name = next(buckets)
  return next(buckets, name) == nil and buckets[name] or nil
end

-- What a rate limit's headers say: {wait, limit, current}, each of which may be nil; nil when they are silent.
function M.rate(headers)
  local buckets = ratelimit.read(headers)
  if not buckets then return nil end
  local now = os.time()
  local bucket, wait = exhausted(buckets, now)
  local told = bucket or only_bucket(buckets) or {}
  local left = told.limit and told.remaining
  return {
    wait = wait or named_wait(buckets, now), limit = left and told.limit or nil,
    current = left and number(told.limit - told.remaining) or nil,
  }
end

-- ---------------------------------------------------------------------------------------------------------
-- Words

-- What stands before a wait. The first ones say what it is for; after the others, one of ABOUT has to be said too.
local BEFORE = {
  "try again in ", "try again after ", "retry in ", "retry after ", "retry after: ", "retry-after: ", "retry_after: ",
  "wait for ", "wait ", "resets in ", "reset in ", "resets after ", "replenished in ", "resets at ", "resets at: ",
  "reset at ", "resets on ", "access on ", "available in ", "available at ", "cooldown: ", "expires in ",
}
local LOOSELY = { "in ", "after ", "within ", "at " }
local ABOUT = { "retry", "again", "wait", "reset", "replenish", "regain", "renew", "refill" }

-- "20s.", "6m0s", "9 seconds", "60", "2.07:01:20", "2026-01-01 00:01:00 UTC": seconds at the start of a text.
local function said(rest, now)
  if rest:find("^%d%d%d%d%-%d%d%-%d%d") then
    local date = rest:match("^[%d%-]+[ t]a?t? ?[%d:]+%.?%d*z?%s?[+utc-]*[%d:]*") or rest:match("^[%d%-]+")
    local moment = dates.parse(date)
    return moment and math.max(0, moment - now)
  end
  local span = scalars.span(rest)
  if span then return span end
  local amount, after = rest:match("^(%d+%.?%d*)(.*)$")
  if amount and not after:find("^[%w:/-]") and not after:find("^%s+%a") then return number(amount) end
end

local NEAR = 80 -- bytes after the words in which the wait is
local TRIES = 20

local function after_phrase(text, phrase, now)
  local at = 1
  for _ = 1, TRIES do
    local _, to = text:find(phrase, at, true)
    if not to then return nil end
    local seconds = said(text:sub(to + 1, to + NEAR), now)
    if seconds then return seconds end
    at = to + 1
  end
end

local function after_any(text, phrases, now)
  for i = 1, #phrases do
    local seconds = after_phrase(text, phrases[i], now)
    if seconds then return seconds end
  end
end

local function after_words(text, now)
  if not text:find("%d") then return nil end
  local seconds = after_any(text, BEFORE, now)
  if seconds then return seconds end
  for i = 1, #ABOUT do
    if text:find(ABOUT[i], 1, true) then return after_any(text, LOOSELY, now) end
  end
end

-- ---------------------------------------------------------------------------------------------------------

local WORDY = { rate_limit = true, budget_exceeded = true, server = true, timeout = true }

-- Seconds to wait before a repeat makes sense, or nil.
-- kind: the error's; headers: the answer's, names: the meanings' headers; facts: retry_after and retry_after_ms as the
-- body has them; rate: what M.rate told, or nil; told: a function that returns the words
-- (gateways/said.lua), or nil.
function M.seconds(kind, headers, names, facts, rate, told)
  local now = os.time()
  local seconds = after_headers(headers, names, now) or milliseconds(facts.retry_after_ms)
    or (facts.retry_after and seconds_until(facts.retry_after, now)) or (rate and rate.wait)
  local words = not seconds and WORDY[kind] and told()
  if words then seconds = after_words(words.text, now) end
  return seconds and scalars.integral(seconds) or nil
end

return M
