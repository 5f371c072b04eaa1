-- reply/info.lua: what reply:info() and stream:info() tell, in one form for every gateway.
-- Leans on reply/facts.lua for all but a few fields: these are read when somebody asks, so that a call does not pay for
-- it. Never guesses: what no gateway said is nil.

local fields = require("llm_gateway.http.fields")
local lazy = require("llm_gateway.lazy")
local timings = require("llm_gateway.http.timings")

local facts = lazy("llm_gateway.reply.facts")

local M = {}

local marks = setmetatable({}, { __mode = "k" }) -- metatables of infos that are not complete, by profile
local plain = {}

local function mark_of(profile)
  if not profile then return plain end
  marks[profile] = marks[profile] or { profile = profile }
  return marks[profile]
end

-- The beginning of an info: what an answer tells. `complete` adds the rest.
function M.of(answer)
  return setmetatable({
    status = answer.status, head = answer.head, attempts = answer.attempts, times = answer.times,
  }, mark_of(answer.profile))
end

-- Adds to an info (nil: none) what its answer's headers and its body (a table; nil while there is none) tell, each of
-- which may be nil: request_id; cost in USD; cache, "hit" or "miss"; provider; model; upstream_attempts; rate_limit,
-- {bucket = {limit, remaining, reset}}. Returns the info. With a body that is done once.
function M.complete(info, body)
  local mark = info and getmetatable(info)
  if not mark then return info end
  if info.head then
    info.headers, info.head = fields.of(info), nil
  end
  info.timings, info.times = info.timings or timings.of(info), nil
  facts.fill(info, body, mark.profile)
  if body then setmetatable(info, nil) end
  return info
end

-- A copy of an info, completed with this body.
function M.with(info, times, body)
  local copy = {}
  for name, value in pairs(info) do copy[name] = value end
  copy.times = times
  return M.complete(setmetatable(copy, getmetatable(info)), body)
end

-- What a chunk tells of its reply; typed events have that inside.
local function body_of(chunk)
  local inner = chunk.response or chunk.message
  return type(inner) == "table" and inner or chunk
end

local OTHERS = {
  choices = true, output = true, content = true, delta = true, id = true, object = true, created = true,
  created_at = true, system_fingerprint = true, type = true, role = true, index = true,
}

local last_told = {}

local function is_same(a, b)
  for name, value in next, a do
    if b[name] ~= value then return false end
  end
  for name in next, b do
    if a[name] == nil then return false end
  end
  return true
end

-- What a stream's first chunk may tell of the call, which nobody may change. Many streams may be open: the rest is not
-- kept, and those that are told the same, a model most often, share it.
function M.first_told(chunk)
  local told = {}
  for name, value in next, body_of(chunk) do
    if not OTHERS[name] then told[name] = value end
  end
  if not is_same(told, last_told) then last_told = told end
  return last_told
end

-- What a stream's first chunk told and its last usage (nil: none yet) tell together; nil before the first.
function M.told_by(first, last)
  local body = {}
  for name, value in pairs(first or body) do body[name] = value end
  for name, value in pairs(last and body_of(last) or {}) do body[name] = value end
  return first and body or nil
end

return M
