-- call/exchange.lua: one attempt of a call: a request goes out, and an answer or an error comes back.
-- It knows no endpoint, and does not decide whether to try again.

local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")
local fields = require("llm_gateway.http.fields")
local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")
local loop_state = require("llm_gateway.loop.state")
local wait = require("llm_gateway.loop.wait")

local into = lazy("llm_gateway.call.into")
local sse = lazy("llm_gateway.sse")

local M = {}

-- Seconds that remain of the call's total_timeout; nil without one.
function M.seconds_left(call)
  local total = call.options.total_timeout
  return total and call.started + total - core.now()
end

-- Sends the call, which has what the core reads of it (src/lclient.c). Returns a transfer, or nil and facts.
local function send(call)
  local left = M.seconds_left(call)
  if left then call.seconds_left = math.max(left, 0.001) end
  -- What goes into a file takes no memory: only a limit that somebody gave holds there.
  if call.into then call.is_unlimited = call.options.given.max_response_bytes == nil end
  return core.send(call.client, call)
end

-- ---------------------------------------------------------------------------------------------------------
-- Failures

local function failed(call, transfer, facts)
  call.times = transfer:times()
  transfer:close()
  return nil, errors.of_call(call, facts)
end

-- Whether the call's client or loop was closed.
function M.is_closed(call)
  return loop_state.is_closed(call.loop, call.client)
end

-- A hook, the key's function or another task may have closed the client before anything was sent. Returns the error
-- of that, or nil.
function M.closed_error(call)
  if M.is_closed(call) then return errors.of_call(call, { class = "closed", text = "closed before its end" }) end
end

-- ---------------------------------------------------------------------------------------------------------
-- Bodies

-- Some gateways refuse with an event, even where no stream was asked for. Of any other event stream nothing is taken:
-- its first chunk is not the whole.
local function value_of_event(answer)
  local parser, first = sse.new(), nil
  parser:feed(answer.text .. "\n\n")
  for event in parser:events() do
    local value = json.decode(event.data)
    if errors.is_error_body(value) or (event.event == "error" and value ~= nil) then return value end
    first = first or value
  end
  return answer.status >= 400 and first or nil
end

local function decode(call, answer)
  local value = json.decode(answer.text, false, call.has_vectors)
  if value ~= nil then return value end
  local is_events = fields.media_type(answer) == "text/event-stream"
  return is_events and value_of_event(answer) or nil
end

local function head(transfer) return transfer:head() end
local function body(transfer) return transfer:body() end

local function watched(call, pull)
  return call.on_progress and into.watched(call, pull) or pull
end

-- Returns the body and its times; or nil, facts. A refusal whose body was lost, or cannot be decoded, is one all the
-- same: its head says what the gateway wants.
local function text_of(call, transfer, answer)
  local text, second = wait.await(call.loop, transfer, transfer, watched(call, body))
  local is_unread = not text and (second.class == "lost" or second.class == "not_http")
  if not is_unread or answer.status < 400 then return text, second end
  answer.lost = errors.of_call(call, second).message
  local times = transfer:times()
  transfer:close()
  return "", times
end

local function read_body(call, transfer, answer)
  if not answer.text then
    local text, second = text_of(call, transfer, answer)
    if not text then return failed(call, transfer, second) end
    answer.text, answer.times = text, second
  end
  if call.into then into.read_error(answer, call.into) end
  answer.value = answer.value or decode(call, answer)
  return answer
end

-- ---------------------------------------------------------------------------------------------------------

-- Sends the call's request once. Returns an answer {status, head (see http/fields.lua), attempts, secrets, profile}
-- with `transfer` when it is an event stream, else with text, value (decoded; nil when it is no JSON) and times (see
-- info.lua); or nil, err without an answer.
function M.once(call)
  local closed = M.closed_error(call)
  if closed then return nil, closed end
  local transfer, facts = send(call)
  if not transfer then return nil, errors.of_call(call, facts) end
  loop_state.mark_begun(call.loop)
  local status, received, is_stream, text, times = wait.await(call.loop, transfer, transfer, watched(call, head))
  if not status then return failed(call, transfer, received) end
  call.head = received
  local answer = {
    status = status, head = received, attempts = call.attempts, secrets = call.secrets,
    profile = call.options.profile, text = text, times = times, value = nil,
  }
  if not is_stream then return read_body(call, transfer, answer) end
  answer.transfer = transfer
  return answer
end

return M
