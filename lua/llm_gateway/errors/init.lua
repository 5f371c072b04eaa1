-- errors/init.lua: the only maker of error tables.
-- Leans on errors/unwrap.lua (where the error is in a body), errors/classify.lua (its kind), errors/details.lua
-- (what a program can act on), errors/failures.lua (words for what the C core met), errors/redact.lua and
-- credentials.lua. Raises nothing itself.

local credentials = require("llm_gateway.http.url")
local classify = require("llm_gateway.errors.classify")
local details = require("llm_gateway.errors.fields")
local failures = require("llm_gateway.errors.transport")
local redact = require("llm_gateway.secrets")
local unwrap = require("llm_gateway.errors.unwrap")
local values = require("llm_gateway.errors.scalars")

local M = { redact = redact.redact, is_error_body = unwrap.is_error }

local Error = {}
local finals = setmetatable({}, { __mode = "k" }) -- by error; see is_final

-- `[429] Rate limit exceeded`; `[connection] ...` without a status.
function Error.__tostring(err)
  return ("[%s] %s"):format(err.status and ("%d"):format(err.status) or err.kind, err.message)
end

-- Lets ("could not chat: " .. err) work.
function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

-- Whether a value is one of this library's errors.
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Error
end

-- assert for every Lua (5.1's refuses a table): its arguments when the first is true, else raises the second.
function M.assert(value, ...)
  if value then return value, ... end
  local err = ...
  if err == nil then err = "assertion failed!" end
  error(err, 0)
end

local LONGEST_PARTIAL = 2 ^ 20 -- bytes; cut only here, where no secret is left that could be cut in two
local RETRYABLE_STATUSES = { [408] = true, [409] = true, [429] = true }
local FINAL_KINDS = { policy_denied = true, budget_exceeded = true, authentication = true, stream = true }

local function is_retryable(fields)
  if FINAL_KINDS[fields.kind] or fields.started then return false end
  if fields.kind == "rate_limit" or fields.never_connected then return true end
  local status = fields.status
  return status ~= nil and (RETRYABLE_STATUSES[status] or (status >= 500 and status <= 599)) or false
end

-- An error table. fields.kind and fields.message are needed; `started` (an event was handed over already) and
-- `never_connected` only tell whether it is retryable.
function M.new(fields)
  if fields.partial then fields.partial = values.beginning(fields.partial, LONGEST_PARTIAL) end
  if fields.retryable == nil then fields.retryable = is_retryable(fields) end
  fields.started, fields.never_connected = nil, nil
  return setmetatable(fields, Error)
end

-- ---------------------------------------------------------------------------------------------------------
-- Answers

local REQUEST_ID_FIELDS = { "request_id", "requestId", "trace_id" }
local REQUEST_ID_HEADERS = {
  "x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "apim-request-id", "x-litellm-call-id",
  "x-portkey-trace-id", "x-kong-request-id", "cf-ray",
}

-- The id by which the gateway knows a request: from its body (and the table in it that tells of an error), else from
-- its headers; or nil.
local function request_id(inner, body, headers)
  for _, place in ipairs({ inner, type(body) == "table" and body or {} }) do
    for _, name in ipairs(REQUEST_ID_FIELDS) do
      if unwrap.text(place[name]) then return place[name] end
    end
  end
  for _, name in ipairs(REQUEST_ID_HEADERS) do
    if unwrap.text(headers[name]) then return headers[name] end
  end
end

-- The same for an answer that is no error.
function M.request_id(body, headers)
  return request_id({}, body, headers)
end

local function codes_of(inner, body, event)
  local codes = {}
  for _, place in ipairs({ inner, type(body) == "table" and body or {} }) do
    for _, name in ipairs({ "code", "error_code", "internalCode", "error_type", "type", "error" }) do
      if unwrap.text(place[name]) then table.insert(codes, place[name]) end
    end
  end
  for _, place in ipairs({ inner, inner.provider_specific_fields or {} }) do
    local deeper = type(place) == "table" and place.innererror
    if type(deeper) == "table" and unwrap.text(deeper.code) then table.insert(codes, deeper.code) end
  end
  if event and event ~= "error" then table.insert(codes, event) end
  return codes
end

local LONGEST_MESSAGE = 300 -- of a body that is no JSON
local TITLE_WITHIN = 8192 -- bytes of a page

-- The title of a page of HTML. A pattern for all of it would try each blank of a hostile page against each other.
local function title_of(text)
  local page = text:sub(1, TITLE_WITHIN)
  local from = page:match("<[tT][iI][tT][lL][eE][^>]*>()")
  local stop = from and page:find("</", from, true)
  local title = stop and values.trim(page:sub(from, stop - 1))
  return title ~= "" and title or nil
end

-- What to say of a body in which no message was found.
local function described(answer)
  local text = answer.text or ""
  local title = title_of(text)
  if title then return values.clip(title, LONGEST_MESSAGE) end
  local line = not text:find("^%s*[<{%[]") and text:match("[^\r\n]+")
  local told = answer.event == "error" or answer.status < 200 or answer.status > 399
  if line and answer.value == nil and told then
    return values.clip(line, LONGEST_MESSAGE)
  end
end

-- A plain 2xx or 3xx that is no use: say what came instead.
local function unusable(answer)
  if answer.status >= 300 and answer.status < 400 then
    local where = answer.headers.location
    return ("the gateway redirects%s, and redirects are not followed: is base_url right?"):format(
      where and " to " .. credentials.without(where) or "")
  end
  local what = answer.headers["content-type"] or "no content type"
  local wanted = answer.in_stream and "an event stream or a chat completion"
    or type(answer.value) == "table" and "a JSON object" or "JSON"
  if not answer.text or answer.text == "" then return ("expected %s, got an empty body (%s)"):format(wanted, what) end
  return ("expected %s, got %s: %s"):format(wanted, what, values.clip(answer.text, 80))
end

-- Of a refusal that says nothing.
local function without_words(answer, status)
  return ("HTTP %d%s"):format(status, answer.lost and (" (%s)"):format(answer.lost) or "")
end

local function status_of(answer, inner, outer, own)
  if own then return own end
  if answer.status < 200 or answer.status > 299 then return answer.status end
  return unwrap.status(inner) or unwrap.status(outer) or answer.status
end

local function find_facts(answer, inner, own_status, is_error)
  local body, headers = answer.value, answer.headers or {}
  local outer = type(body) == "table" and body or {}
  local message = is_error and (unwrap.message(inner) or unwrap.message(outer)) or described(answer)
  local status = status_of(answer, is_error and inner or {}, is_error and outer or {}, own_status)
  local statuses = { [status] = true, [answer.status] = true }
  local code = is_error and (unwrap.code(inner, statuses, message) or unwrap.code(outer, statuses, message)) or nil
  local kind = classify.kind({
    outcome = unwrap.text(inner.outcome) or unwrap.text(outer.outcome), status = status, message = message,
    codes = codes_of(inner, body, answer.event),
    has_reasons = details.has_reasons(inner, body),
  })
  return body, headers, message, status, code, kind
end

-- A router puts its provider's headers into the body; the answer's own win.
local function relayed(inner, headers)
  local provider = type(inner.metadata) == "table" and inner.metadata.headers
  if type(provider) ~= "table" then return headers end
  local merged = {}
  for name, value in pairs(provider) do merged[values.lower(tostring(name))] = tostring(value) end
  for name, value in pairs(headers) do merged[name] = value end
  return merged
end

-- A 2xx body that is no error is one only for not being what was asked for.
local function is_error_answer(answer)
  if answer.event == "error" or answer.status < 200 or answer.status >= 400 then return true end
  return M.is_error_body(answer.value)
end

-- The error of an HTTP answer, or of an event inside one.
-- answer: status (HTTP's), headers (by lower-case name), text (the body, or the event's data), value (decoded; nil
-- when that is no JSON), lost (why it has no body), in_stream, event (the SSE event's name), started (an event
-- came before), partial, attempts, secrets. These are hidden before anything else: a message that shows the beginning
-- of a body could show the beginning of a key.
function M.of_answer(answer)
  answer = M.redact(answer, answer.secrets)
  local is_error = is_error_answer(answer)
  local inner, own_status = unwrap.body(answer.value)
  local body, headers, message, status, code, kind = find_facts(answer, inner, own_status, is_error)
  if not is_error then kind = answer.in_stream and status < 300 and not M.looks_like_error(answer.text) and "stream"
    or "server" end
  if not is_error and M.looks_like_error(answer.text) then message = answer.text end
  if not message and (status < 400) then message = is_error and "the gateway reported an error" or unusable(answer) end
  local clocks = relayed(inner, headers)
  local limit, current = details.limits(inner, body, clocks, message)
  local fields = {
    kind = kind, message = message or without_words(answer, status), status = status, code = code,
    retry_after = details.retry_after(kind, inner, body, clocks, message),
    policy_name = kind == "policy_denied" and details.policy_name(inner, body, message) or nil,
    limit = (kind == "budget_exceeded" or kind == "rate_limit") and limit or nil,
    current = (kind == "budget_exceeded" or kind == "rate_limit") and current or nil,
    budget_type = (kind == "budget_exceeded" or kind == "rate_limit") and details.budget_type(inner, body) or nil,
    request_id = request_id(inner, body, headers), headers = headers,
    body = body == nil and answer.text or body,
    partial = answer.partial, attempts = answer.attempts, started = answer.started,
  }
  return M.new(fields)
end

-- Whether an event's data that cannot be decoded is meant as an error all the same.
function M.looks_like_error(text)
  return type(text) == "string" and text:find('^%s*{%s*"error"') ~= nil
end

-- ---------------------------------------------------------------------------------------------------------
-- Failures

-- The error of an exchange that failed, out of the C core's facts; see errors/failures.lua for their fields.
function M.of_failure(facts)
  local fields = {
    kind = failures.kind(facts), message = failures.message(facts), status = nil,
    headers = facts.headers, request_id = facts.headers and request_id({}, nil, facts.headers) or nil,
    partial = facts.partial,
  }
  fields = M.redact(fields, facts.secrets)
  fields.attempts, fields.started = facts.attempts, facts.started
  fields.never_connected = failures.may_pass(facts)
  local err = M.new(fields)
  finals[err] = failures.is_final(facts) or nil
  return err
end

-- Whether a failure would be the same each time: a certificate that was refused, an address that is none.
function M.is_final(err)
  return finals[err] == true
end

return M
