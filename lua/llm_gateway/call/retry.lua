-- call/retry.lua: whether a failed call is tried again, and when.
-- Leans on the core's clock and on errors/. It reads an error table and the options, and never waits itself.

local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")

local M = {}

local FIRST_DELAY, LONGEST_DELAY = 0.5, 8 -- seconds
local JITTER = 0.25 -- how much of a delay chance may take off, so that clients do not come back all at once

-- A request that reached the server may have been carried out, and paid for: without an answer only one is tried
-- again that was not sent or not read (see errors.is_unread), unless the user said otherwise.
local function may_repeat(err, options)
  if err.retryable then return true end
  local unanswered = err.status == nil and (err.kind == "timeout" or err.kind == "connection")
  return unanswered and not errors.is_final(err) and options.retry_timeouts == true
end

-- Numbers from 0 to 1 in a sequence of our own (Park and Miller's): math.random belongs to the program, which may
-- count on its sequence, and before 5.4 it begins alike in every process.
local LARGEST = 2 ^ 31 - 1
local seed = (os.time() + core.now() * 1e6 + tonumber(tostring({}):match("(%x+)$") or "0", 16)) % LARGEST
local state = math.floor(seed) + 1

local function chance()
  state = state * 16807 % LARGEST
  return state / LARGEST
end

local function backoff(attempts, longest)
  local delay = math.min(FIRST_DELAY * 2 ^ (attempts - 1), LONGEST_DELAY, longest or LONGEST_DELAY)
  return delay * (1 - JITTER * chance())
end

-- How many seconds to wait before the next attempt; nil when there is to be none. `left` is what remains of
-- total_timeout, if there is one.
function M.delay(err, attempts, options, left)
  if attempts > options.max_retries or not may_repeat(err, options) then return nil end
  if attempts == 1 and errors.is_unread(err) then return 0 end
  local named = err.retry_after and err.retry_after > 0 and err.retry_after -- 0 would be a burst
  local delay = named or backoff(attempts, options.max_retry_delay)
  if named and options.max_retry_delay and delay > options.max_retry_delay then return nil end
  if left and delay >= left then return nil end
  return delay
end

return M
