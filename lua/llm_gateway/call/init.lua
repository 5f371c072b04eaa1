-- call/init.lua: one call of a client: its attempts, each an exchange with the gateway.
-- Leans on the C core (through the loop, which waits), on errors.lua for what went wrong and on retry.lua for
-- whether to try again. Knows no endpoint.

local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")
local headers = require("llm_gateway.http.fields")
local json = require("llm_gateway.json")
local loop_state = require("llm_gateway.loop.state")
local observe = require("llm_gateway.call.hooks")
local retry = require("llm_gateway.call.retry")
local sse = require("llm_gateway.sse")
local wait = require("llm_gateway.loop.wait")

local M = {}

local function seconds_left(call)
  return call.total_timeout and call.started + call.total_timeout - core.now()
end

-- libcurl takes what it is given; `false` is its "no limit" too.
local function core_request(call)
  local o = call.options
  return {
    method = call.method, url = call.url, headers = call.headers, body = call.body, stream = call.stream,
    connect_timeout = o.connect_timeout, timeout = o.timeout, event_timeout = o.event_timeout,
    total_timeout = call.total_timeout and math.max(seconds_left(call), 0.001),
    max_response_bytes = o.max_response_bytes, max_event_bytes = o.max_event_bytes,
    proxy = o.proxy, ca_file = o.ca_file, ca_path = o.ca_path, client_cert = o.client_cert,
    client_key = o.client_key, insecure = o.insecure, http2 = o.http2,
  }
end

local LIMITS = { connect = "connect_timeout", silence = "timeout", event = "event_timeout", total = "total_timeout" }

-- The error for the core's facts about a failure, with what only the call knows.
function M.describe(call, facts)
  local o = call.options
  facts.seconds = facts.clock and o[LIMITS[facts.clock]]
  facts.limit_bytes = facts.limit_name and o[facts.limit_name]
  facts.url_origin, facts.attempts, facts.secrets = o.origin, call.attempts, call.secrets
  facts.proxied = o.via ~= nil
  facts.status, facts.headers = call.status, call.fields
  return errors.of_failure(facts)
end

-- ---------------------------------------------------------------------------------------------------------
-- An attempt

local function head(transfer) return transfer:head() end
local function body(transfer) return transfer:body() end

local function failed(call, transfer, facts)
  if transfer then
    call.timings = transfer:timings()
    transfer:close()
  end
  return nil, M.describe(call, facts)
end

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

local function decode(answer)
  local value = json.decode(answer.text)
  if value ~= nil then return value end
  local is_events = (answer.headers["content-type"] or ""):lower():find("^text/event%-stream")
  return is_events and value_of_event(answer) or nil
end

-- A refusal whose body was lost is one all the same: its head says what the gateway wants.
local function text_of(call, transfer, answer)
  local text, facts = wait.await(call.loop, transfer, transfer, body)
  if text or facts.class ~= "lost" or answer.status < 400 then return text, facts end
  answer.lost = M.describe(call, facts).message
  return ""
end

local function read_body(call, transfer, answer)
  local text, facts = text_of(call, transfer, answer)
  if not text then return failed(call, transfer, facts) end
  answer.timings = transfer:timings()
  transfer:close()
  answer.text = text
  answer.value = decode(answer)
  answer.request_id = errors.request_id(answer.value, answer.headers)
  return answer
end

local function is_closed(call)
  return call.loop.closed or not select(2, core.config(call.client))
end

-- A hook, the key's function or another task may have closed the client before anything was sent.
local function closed_error(call)
  if is_closed(call) then return M.describe(call, { class = "closed", text = "closed before its end" }) end
end

-- Returns an answer {status, headers, request_id, attempts, secrets} with the transfer when it is an event
-- stream, else with text, value (decoded; nil when it is no JSON), timings; or nil, err without an answer.
local function exchange(call)
  local closed = closed_error(call)
  if closed then return nil, closed end
  local transfer, facts = core.send(call.client, core_request(call))
  if not transfer then return failed(call, nil, facts) end
  loop_state.mark_busy(call.loop)
  local status, fields, is_stream = wait.await(call.loop, transfer, transfer, head)
  if not status then return failed(call, transfer, fields) end
  call.status, call.fields = status, headers.readable(fields)
  local answer = { status = status, headers = fields, attempts = call.attempts, secrets = call.secrets }
  if not is_stream then return read_body(call, transfer, answer) end
  answer.transfer, answer.request_id = transfer, errors.request_id(nil, fields)
  return answer
end

local function is_refusal(call, answer)
  if answer.transfer then return false end
  if call.accepts and call.accepts(answer) then return false end
  return answer.status < 200 or answer.status > 299
    or (type(answer.value) == "table" and errors.is_error_body(answer.value))
end

local function outcome(call)
  local answer, err = exchange(call)
  if not answer then return nil, err end
  if is_refusal(call, answer) then return nil, errors.of_answer(answer), answer end
  return answer
end

local function attempt(call)
  call.attempts = call.attempts + 1
  observe.request(call)
  local started = core.now()
  local answer, err, refused = outcome(call)
  call.took = core.now() - started
  observe.response(call, answer or refused, err)
  return answer, err
end

-- After how many seconds a failed call is tried again; nil when it is not.
local function delay_after(call, err)
  local delay = retry.delay(err, call.attempts, call.options, seconds_left(call))
  observe.log(call, nil, err, delay)
  return delay
end

-- Makes a call: {client, loop, options, method, url, headers (lines), body, stream, secrets, accepts}. Returns an
-- answer of the gateway that is no refusal, or nil, err. accepts(answer) may let a refusal pass as an answer.
function M.make(call)
  call.attempts, call.started = 0, core.now()
  call.total_timeout = call.options.total_timeout
  local answer, err = attempt(call)
  while not answer do
    local delay = delay_after(call, err)
    if not delay then return nil, err end
    observe.retry(call, err, delay)
    wait.sleep_until(call.loop, delay, is_closed, call)
    call.status, call.fields, call.timings = nil, nil, nil -- of the attempt before
    err = closed_error(call)
    if err then return nil, err end
    answer, err = attempt(call)
  end
  observe.log(call, answer.status)
  return answer
end

-- What reply:info() and stream:info() tell.
function M.info(answer)
  return {
    status = answer.status, headers = answer.headers, request_id = answer.request_id, attempts = answer.attempts,
    timings = answer.timings, rate_limit = observe.rate_limit(answer.headers),
  }
end

return M
