-- errors/retry_after.lua: how long to wait before a repeat, and what a rate limit's headers say of its buckets.
-- Leans on errors/dates.lua and errors/values.lua. Never invents a wait: what is not said is nil.

local dates = require("llm_gateway.errors.dates")
local values = require("llm_gateway.errors.scalars")

local number, duration = values.number, values.duration

local M = {}

local EPOCH_FROM = 1e9 -- a wait this long is a moment since 1970
local EPOCH_MS_FROM = 1e12

-- Seconds, never negative, that a span ("6m0s", 12), a date or a moment since 1970 means; or nil.
local function seconds_until(value, now)
  local seconds = duration(value)
  if not seconds then
    local moment = type(value) == "string" and dates.parse(values.trim(value))
    return moment and math.max(0, moment - now) or nil
  end
  if seconds >= EPOCH_MS_FROM then seconds = seconds / 1000 end
  if seconds >= EPOCH_FROM then seconds = seconds - now end
  return math.max(0, seconds)
end

-- A repeated or annotated header ("100, 100;w=60") begins with its number.
local function leading(text)
  return text and number(text:match("^%s*([^,;%s]+)"))
end

local function named_bucket(headers, name, text)
  local remaining = leading(text)
  if not remaining then return nil end
  local function sibling(what)
    return headers[(name:gsub("remaining", what))]
  end
  local reset = sibling("reset") or headers["x-ratelimit-reset"] or headers["ratelimit-reset"]
    or headers["x-rate-limit-reset"]
  return { remaining = remaining, limit = leading(sibling("limit")), reset = reset }
end

-- One header for all: `limit=100, remaining=0, reset=50`, or `"name";r=0;t=50` beside a policy's `"name";q=100`.
local function combined_bucket(headers)
  local text = headers["ratelimit"]
  if not text then return nil end
  local remaining = text:match("remaining=(%d+)")
  if remaining then
    local limit, reset = text:match("limit=(%d+)"), text:match("reset=(%d+)")
    return { remaining = number(remaining), limit = number(limit), reset = reset }
  end
  local left = number(text:match(";%s*r=(%d+)"))
  local limit = number((headers["ratelimit-policy"] or ""):match(";%s*q=(%d+)"))
  return left and { remaining = left, limit = limit, reset = text:match(";%s*t=(%d+)") }
end

local function buckets(headers)
  local names, list = {}, {}
  for name in pairs(headers) do
    if name:find("rate%-?limit") and name:find("remaining", 1, true) then table.insert(names, name) end
  end
  table.sort(names) -- so that the same headers always give the same answer
  for _, name in ipairs(names) do table.insert(list, named_bucket(headers, name, headers[name])) end
  table.insert(list, combined_bucket(headers))
  return list
end

-- The used-up bucket that takes longest to fill again: {limit, remaining, wait}; or nil.
local function exhausted(headers, now)
  local worst
  for _, bucket in ipairs(buckets(headers)) do
    if bucket.remaining <= 0 then
      bucket.wait = bucket.reset and seconds_until(bucket.reset, now)
      local longer = worst and (bucket.wait or -1) > (worst.wait or -1)
      local fuller = worst and bucket.wait == worst.wait and bucket.limit and not worst.limit
      if not worst or longer or fuller then worst = bucket end
    end
  end
  return worst
end

local PHRASES = { "try again in%s+", "try again after%s+", "retry after:?%s+", "retry in%s+", "wait%s+", "wait for%s+" }

-- "20s.", "6m0s", "9 seconds", "60": seconds at the start of a text, but not the year of a date.
local function said(rest)
  local span = values.span(rest)
  if span then return span end
  local amount, after = rest:match("^(%d+%.?%d*)(.*)$")
  if amount and not after:find("^[%w:/-]") and not after:find("^%s+%a") then return number(amount) end
  return nil
end

local function after_words(message)
  local text = values.lower(message or "")
  for _, phrase in ipairs(PHRASES) do
    local rest = text:match(phrase .. "(%d.*)$")
    local seconds = rest and said(rest)
    if seconds then return seconds end
  end
  return nil
end

local function after_header(headers, now)
  local ms = number(headers["retry-after-ms"])
  if ms then return math.max(0, ms / 1000) end
  local text = headers["retry-after"]
  return text and (number(text) and math.max(0, number(text)) or seconds_until(text, now))
end

local WORDY = { rate_limit = true, budget_exceeded = true, server = true, timeout = true }

-- Seconds to wait before a repeat makes sense, or nil.
-- kind, headers, message: the error's; field: the wait that the body gives in a field of its own, or nil.
function M.retry_after(kind, headers, message, field)
  local now = os.time()
  local seconds = after_header(headers, now) or (field and seconds_until(field, now))
  local bucket = not seconds and exhausted(headers, now)
  if bucket then seconds = bucket.wait end
  if not seconds and WORDY[kind] then seconds = after_words(message) end
  return seconds and values.integral(seconds) or nil
end

-- Limit and use of the used-up bucket in a rate limit's headers, or of the only one; nil without one.
function M.limits(headers)
  local all = buckets(headers)
  local bucket = exhausted(headers, os.time()) or (all[2] == nil and all[1])
  if not bucket or not bucket.limit then return nil end
  return bucket.limit, number(bucket.limit - bucket.remaining)
end

return M
