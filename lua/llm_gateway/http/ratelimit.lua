-- http/ratelimit.lua: the one reader of rate-limit headers: an answer's buckets, in every form they are written in.
-- Leans on scalars.lua for numbers. Knows no gateway by name: a header that has "ratelimit" or "rate-limit" in
-- its name says of one bucket how large it is, what is left, or when it is full again.

local scalars = require("llm_gateway.scalars")

local M = {}

local number = scalars.number

-- What a word of a header's name says of its bucket. The others name the bucket.
local FACTS = {
  limit = "limit", remaining = "remaining", reset = "reset", used = "used",
  retry = "retry_after", after = "retry_after",
}

-- Windows are of requests where nothing else is said.
local WINDOWS = { second = true, minute = true, hour = true, day = true, month = true, year = true }

-- A repeated or annotated header ("100, 100;w=60") begins with its number.
local function leading(text)
  return text and number(text:match("^%s*([^,;%s]+)"))
end

-- "" -> requests, "minute" -> requests_per_minute, "tokens-day" -> tokens_per_day, "input-tokens" -> input_tokens.
local function name_of(words)
  local last = #words
  if last == 0 then return "requests" end
  if WINDOWS[words[last]] then
    local what = last > 1 and table.concat(words, "_", 1, last - 1) or "requests"
    return what .. "_per_" .. words[last]
  end
  return table.concat(words, "_")
end

-- What a header is about: the fact and the bucket's name; nil when it is about something else.
local function subject_of(name)
  local from, to = name:find("rate%-?limit")
  local rest = from and name:sub(to + 1)
  if not rest or not (rest:find("^%-") or rest:find("^bysize")) then return nil end
  local words, fact = {}, nil
  for word in rest:gmatch("[^-]+") do
    if FACTS[word] then fact = FACTS[word] else words[#words + 1] = word end
  end
  local relayed = name:sub(1, from - 1):find("provider", 1, true)
  return fact, (relayed and "provider_" or "") .. name_of(words)
end

local function value_of(fact, text)
  if fact == "reset" or fact == "retry_after" then return number(text) or text end
  return leading(text)
end

-- One header for all: `limit=100, remaining=0, reset=50`, or `"name";r=0;t=50` beside a policy's `"name";q=100`.
local function combined(headers)
  local text, policy = headers["ratelimit"], headers["ratelimit-policy"] or ""
  if not text then return nil end
  local function of(pattern, from) return number((from or text):match(pattern .. "(%d+)")) end
  local remaining = of("remaining=")
  if remaining then return { limit = of("limit="), remaining = remaining, reset = of("reset=") } end
  remaining = of(";%s*r=")
  if remaining then return { limit = of(";%s*q=", policy), remaining = remaining, reset = of(";%s*t=") } end
end

-- The buckets of an answer's headers (lower-case names): {name = {limit, remaining, reset, used, retry_after}}, each of
-- which may be nil; reset and retry_after are numbers, or text as the gateway has it. nil when the headers are silent.
function M.read(headers)
  local buckets
  for name, text in next, headers do
    local fact, bucket
    if name:find("limit", 1, true) then fact, bucket = subject_of(name) end
    local value = fact and value_of(fact, text)
    if value ~= nil then
      buckets = buckets or {}
      buckets[bucket] = buckets[bucket] or {}
      buckets[bucket][fact] = value
    end
  end
  local one = combined(headers)
  if one and not (buckets and buckets.requests) then
    buckets = buckets or {}
    buckets.requests = one
  end
  return buckets
end

return M
