-- call/hooks.lua: shows users what their calls do: hooks, a log on stderr.
-- It is loaded for a client that has a hook, or logs. What it hands out bears no secret; a hook that raises ends the
-- call with that.

local errors = require("llm_gateway.errors")
local fields = require("llm_gateway.http.fields")
local coroutines = require("llm_gateway.loop.coroutines")
local timings = require("llm_gateway.http.timings")

local M = {}

-- A URL may carry credentials before its host, and keys in its query.
local function shown_url(call)
  local url = call.url:gsub("^(%a+://)[^/?#]*@", "%1"):gsub("%?.*$", "?...")
  return errors.redact(url, call.secrets)
end

-- One line, whatever a server put into its message.
local function log(...)
  io.stderr:write("llm_gateway: ", (table.concat({ ... }, " "):gsub("%c+", " ")), "\n")
end

-- Calls a hook that has an open transfer behind it: when it raises, nobody else would close that. (A hook may wait:
-- where it could not inside pcall, the collector closes what is left.)
local function call_over(transfer, hook, seen)
  if not coroutines.pcall_can_yield and coroutines.current() then return hook(seen) end
  local ok, why = pcall(hook, seen)
  if ok then return end
  transfer:close()
  error(why, 0)
end

M.call_over = call_over

local function about(call)
  return { method = call.method, url = shown_url(call), attempt = call.attempts }
end

-- Before an attempt: on_request{method, url, attempt}.
function M.request(call)
  local hook = call.options.on_request
  if hook then hook(about(call)) end
end

local function milliseconds(seconds)
  return ("%.1fms"):format(seconds * 1000)
end

local function request_id_of(answer, call)
  return errors.redact(errors.request_id(answer.value, fields.of(answer), answer.profile), call.secrets)
end

-- After an attempt: on_response{method, url, attempt, status, request_id, timings, error}. Of a stream it comes with
-- the head; of a call that failed without an answer, timings tell how far it came.
function M.response(call, answer, err)
  local hook = call.options.on_response
  if not hook then return end
  local seen = about(call)
  seen.status, seen.error = answer and answer.status, err
  seen.request_id = answer and request_id_of(answer, call)
  local transfer = answer and answer.transfer
  seen.timings = timings.of(answer or call, transfer)
  if transfer then call_over(transfer, hook, seen) else hook(seen) end
end

-- Before the wait for another attempt, where there is such a hook: on_retry{method, url, attempt, delay, error};
-- attempt is the one that failed.
function M.retry(call, err, delay)
  local seen = about(call)
  seen.delay, seen.error = delay, err
  call.options.on_retry(seen)
end

-- One line for each attempt: how it ended, how long it took, and after what delay there is another.
function M.log(call, status, err, delay)
  if not call.options.logs then return end
  local seen = about(call)
  log(seen.method, seen.url, "attempt " .. seen.attempt, tostring(err or status), milliseconds(call.took),
    delay and "again in " .. milliseconds(delay))
end

return M
