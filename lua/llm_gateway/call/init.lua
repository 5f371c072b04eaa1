-- call/init.lua: one call of a client: its attempts, and the waits between them.
-- It knows no endpoint. exchange.lua makes an attempt, retry.lua says whether there is another, hooks.lua shows each.

local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")
local exchange = require("llm_gateway.call.exchange")
local lazy = require("llm_gateway.lazy")
local retry = require("llm_gateway.call.retry")
local wait = require("llm_gateway.loop.wait")

local hooks = lazy("llm_gateway.call.hooks")

local M = {}

local function is_refusal(call, answer)
  if answer.transfer then return false end
  if call.accepts and call.accepts(answer) then return false end
  return answer.status < 200 or answer.status > 299
    or (type(answer.value) == "table" and errors.is_error_body(answer.value, answer.profile))
end

-- Returns an answer that is no refusal; or nil, err and the answer that was one, if there was an answer.
local function outcome(call)
  local answer, err = exchange.once(call)
  if not answer then return nil, err end
  if is_refusal(call, answer) then return nil, errors.of_answer(answer), answer end
  local fault = call.fault and not answer.transfer and call.fault(call, answer)
  if fault then return nil, fault, answer end
  return answer
end

-- An attempt that somebody looks at: a hook, or the log.
local function watched_attempt(call)
  hooks.request(call)
  local started = core.now()
  local answer, err, refused = outcome(call)
  call.took = core.now() - started
  hooks.response(call, answer or refused, err)
  return answer, err
end

local function attempt(call)
  call.attempts = call.attempts + 1
  if call.options.is_watched then return watched_attempt(call) end
  local answer, err = outcome(call)
  return answer, err
end

-- After how many seconds a failed call is tried again; nil when it is not.
local function delay_after(call, err)
  local delay = retry.delay(err, call.attempts, call.options, exchange.seconds_left(call))
  if call.options.is_watched then hooks.log(call, nil, err, delay) end
  return delay
end

-- Waits and tries again. Returns what an attempt does.
local function repeat_after(call, err, delay)
  if call.options.on_retry then hooks.retry(call, err, delay) end
  if delay > 0 then wait.sleep_until(call.loop, delay, exchange.is_closed, call) end
  call.head, call.times = nil, nil -- of the attempt before
  call.fresh = errors.is_unread(err)
  local closed = exchange.closed_error(call)
  if closed then return nil, closed, true end
  return attempt(call)
end

-- Makes a call: {client, loop, options, method, url, headers (lines), body, stream, secrets, accepts}. Returns an
-- answer of the gateway that is no refusal, or nil, err. accepts(answer) may let a refusal pass as an answer;
-- fault(call, answer) returns the error that a 2xx is after all, or nil.
function M.make(call)
  call.attempts, call.started = 0, core.now()
  local answer, err, closed = attempt(call)
  while not answer do
    local delay = not closed and delay_after(call, err)
    if not delay then return nil, err end
    answer, err, closed = repeat_after(call, err, delay)
  end
  if call.options.is_watched then hooks.log(call, answer.status) end
  return answer
end

return M
