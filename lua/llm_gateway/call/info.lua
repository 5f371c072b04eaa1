-- call/info.lua: what reply:info() and stream:info() tell, in one form for every gateway.
-- Leans on gateways/ for which headers and fields tell it, on http/ratelimit.lua for the buckets. Never guesses: what
-- no gateway said is nil. All but a few fields are read when somebody asks, so that a call does not pay for it.

local errors = require("llm_gateway.errors")
local gateways = require("llm_gateway.gateways")
local ratelimit = require("llm_gateway.http.ratelimit")
local scalars = require("llm_gateway.errors.scalars")

local M = {}

-- ---------------------------------------------------------------------------------------------------------
-- Where a fact may stand

-- Tables of a body in which gateways tell about a reply, the nearest to the point first.
local PLACES = {
  { "usage" }, {}, { "gateway_metadata" }, { "extra_fields" }, { "extra_fields", "cache_debug" },
  { "provider_metadata", "gateway" }, { "providerMetadata", "gateway" },
}

local function place_in(body, path)
  local place = body
  for _, name in ipairs(path) do
    place = type(place) == "table" and rawget(place, name) or nil
  end
  return type(place) == "table" and place or nil
end

-- The value of a fact in one table: of several names the one that ranks first.
local function found_in(place, fact, known, read)
  local best, rank
  for name, value in next, place do
    local field = known[name]
    if field and field.fact == fact and (not rank or field.rank < rank) then
      local told = read(value, name)
      if told ~= nil then best, rank = told, field.rank end
    end
  end
  return best
end

local function in_body(body, fact, known, read)
  for _, path in ipairs(PLACES) do
    local place = place_in(body, path)
    local told = place and found_in(place, fact, known, read)
    if told ~= nil then return told end
  end
end

local function in_headers(headers, names, read)
  for _, name in ipairs(names and names.exact or {}) do
    local told = headers[name] and read(headers[name], name)
    if told ~= nil then return told end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- What it says

local function amount(value)
  if type(value) == "table" then value = value.total_cost or value.total end
  local number = scalars.number(value)
  return number and number >= 0 and number or nil
end

local CACHE = { ["true"] = "hit", ["1"] = "hit", ["false"] = "miss", ["0"] = "miss" }

-- "HIT", "SEMANTIC HIT", "True" | "MISS", "false"; a cache that was passed by is neither.
local function cache_word(value)
  local word = scalars.lower(tostring(value))
  return CACHE[word] or word:find("hit", 1, true) and "hit" or word:find("miss", 1, true) and "miss" or nil
end

-- One more than the retries, where it is these that are told.
local function attempts(value, name)
  local number = scalars.number(value)
  if not number or number < 0 or number % 1 ~= 0 then return nil end
  return scalars.integral(name:find("retr") and number + 1 or number)
end

local READERS = {
  cost = amount, cache = cache_word, provider = scalars.text, model = scalars.text, attempts = attempts,
}

local function told(info, body, meanings, fact)
  local read = READERS[fact]
  local found = in_headers(info.headers, meanings.headers[fact], read)
  if found == nil and body then found = in_body(body, fact, meanings.fields, read) end
  return found
end

-- ---------------------------------------------------------------------------------------------------------

local marks = setmetatable({}, { __mode = "k" }) -- metatables of infos that are not complete, by profile
local plain = {}

local function mark_of(profile)
  if not profile then return plain end
  marks[profile] = marks[profile] or { profile = profile }
  return marks[profile]
end

-- The beginning of an info: {status, headers, attempts, timings} of an answer. `complete` adds the rest.
function M.of(answer)
  return setmetatable({
    status = answer.status, headers = answer.headers, attempts = answer.attempts, timings = answer.timings,
  }, mark_of(answer.profile))
end

-- A copy of an info, which is completed by itself.
function M.copy(info)
  local copy = {}
  for name, value in pairs(info) do copy[name] = value end
  return setmetatable(copy, getmetatable(info))
end

local function fill(info, body, profile)
  local meanings = gateways.meanings(profile)
  info.request_id = errors.request_id(body, info.headers, profile)
  info.rate_limit = ratelimit.read(info.headers)
  info.cost, info.cache = told(info, body, meanings, "cost"), told(info, body, meanings, "cache")
  info.provider, info.model = told(info, body, meanings, "provider"), told(info, body, meanings, "model")
  if info.model == nil and body then info.model = scalars.text(rawget(body, "model")) end
  info.upstream_attempts = told(info, body, meanings, "attempts")
end

-- Adds to an info (nil: none) what its answer's headers and its body (a table; nil while there is none) tell, each of
-- which may be nil: request_id; cost in USD; cache, "hit" or "miss"; provider; model; upstream_attempts; rate_limit,
-- {bucket = {limit, remaining, reset}}. Returns the info. With a body that is done once.
function M.complete(info, body)
  local mark = info and getmetatable(info)
  if not mark then return info end
  fill(info, body, mark.profile)
  if body then setmetatable(info, nil) end
  return info
end

return M
