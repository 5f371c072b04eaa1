-- reply/facts.lua: what the headers and the body of an answer tell of a call: cost, cache, provider, model, limits.
-- Leans on gateways/ for which headers and fields tell it, on http/ratelimit.lua for the buckets. Never guesses: what
-- no gateway said is nil.

local errors = require("llm_gateway.errors")
local gateways = require("llm_gateway.gateways")
local ratelimit = require("llm_gateway.http.ratelimit")
local scalars = require("llm_gateway.scalars")

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

-- Fills in what `complete` of reply/info.lua promises. body may be nil.
function M.fill(info, body, profile)
  local meanings = gateways.meanings(profile)
  info.request_id = errors.request_id(body, info.headers, profile, meanings.headers.request_id.exact)
  info.rate_limit = ratelimit.read(info.headers)
  info.cost, info.cache = told(info, body, meanings, "cost"), told(info, body, meanings, "cache")
  info.provider, info.model = told(info, body, meanings, "provider"), told(info, body, meanings, "model")
  if info.model == nil and body then info.model = scalars.text(rawget(body, "model")) end
  info.upstream_attempts = told(info, body, meanings, "attempts")
end

return M
