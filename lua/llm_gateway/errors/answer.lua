-- errors/answer.lua: the error of an HTTP answer, or of an event inside one.
-- Leans on errors/unwrap.lua (where in a body the error is), errors/fields.lua (what a program can act on),
-- errors/classify.lua (its kind) and on gateways/, whose meanings are loaded with the first refusal.

local classify = require("llm_gateway.errors.classify")
local codes = require("llm_gateway.errors.codes")
local errors = require("llm_gateway.errors.object")
local fields = require("llm_gateway.errors.fields")
local gateways = require("llm_gateway.gateways")
local messages = require("llm_gateway.errors.message")
local numbers = require("llm_gateway.errors.numbers")
local page = require("llm_gateway.errors.page")
local paths = require("llm_gateway.errors.path")
local recognize = require("llm_gateway.errors.recognize")
local request_ids = require("llm_gateway.errors.request_id")
local said = require("llm_gateway.gateways.said")
local scalars = require("llm_gateway.scalars")
local secrets = require("llm_gateway.secrets")
local unwrap = require("llm_gateway.errors.unwrap")
local urls = require("llm_gateway.http.url")
local waits = require("llm_gateway.errors.retry_after")

local M = {}

local text = scalars.text

-- ---------------------------------------------------------------------------------------------------------
-- Words

-- A plain 2xx or 3xx that is no use: say what came instead.
local function unusable(answer)
  if answer.status >= 300 and answer.status < 400 then
    local where = answer.headers.location
    return ("the gateway redirects%s, and redirects are not followed: is base_url right?"):format(
      where and " to " .. urls.without(where) or "")
  end
  local what = answer.headers["content-type"] or "no content type"
  local wanted = answer.in_stream and "an event stream" .. (answer.wanted and " or " .. answer.wanted or "")
    or type(answer.value) == "table" and (answer.wanted or "a JSON object") or "JSON"
  if not answer.text or answer.text == "" then return ("expected %s, got an empty body (%s)"):format(wanted, what) end
  return ("expected %s, got %s: %s"):format(wanted, what, scalars.clip(answer.text, 80))
end

local function is_2xx(status)
  return status >= 200 and status <= 299
end

-- Whether the event's name is "error", or an error's ("rate_limit_error").
local function is_error_event(answer)
  return answer.event and answer.event:find("error", 1, true) ~= nil
end

-- The words of a body that is no JSON.
local function words_of_text(answer)
  if answer.value ~= nil then return nil end
  if recognize.looks_like_error(answer.text) then return answer.text end
  local refused = is_error_event(answer) or answer.status < 200 or answer.status > 399
  return refused and page.said(answer.text or "") or nil
end

-- A message that is nothing but a table gives way to that table's words; one that says nothing is said with them.
local function with_carried(message, found, meanings)
  for i = 1, #found.carried do
    local carried = found.carried[i]
    if carried.text == message and carried.is_all and carried.message then return carried.message end
  end
  if not said.says(meanings.said_nothing, said.told(message)) then return message end
  local more = found.texts[1]
  return more and ("%s: %s"):format(message, scalars.clip(more, 300)) or message
end

local function message_of(read)
  local inner, outer = read.inner, read.outer
  local message = messages.of_checks(outer) or messages.of_checks(inner) or messages.of(inner) or messages.of(outer)
    or messages.any(outer)
  if not message then return nil end
  local more = messages.more(inner, message)
  return more and ("%s: %s"):format(message, more) or message
end

-- ---------------------------------------------------------------------------------------------------------
-- Putting it together

-- A router puts its provider's headers into the body; the answer's own win.
local function relayed(inner, headers)
  local provider = type(inner.metadata) == "table" and inner.metadata.headers
  if type(provider) ~= "table" then return headers end
  local merged = {}
  for name, value in pairs(provider) do merged[scalars.lower(tostring(name))] = tostring(value) end
  for name, value in pairs(headers) do merged[name] = value end
  return merged
end

-- A 2xx body that is no error is one only for not being what was asked for.
local function is_error_answer(answer)
  if is_error_event(answer) or answer.status < 200 or answer.status >= 400 then return true end
  return recognize.is_error(answer.value)
end

local NOTHING = {}

local function words_of_answer(value)
  local choice = type(value.choices) == "table" and value.choices[1]
  local message = type(choice) == "table" and (choice.message or choice.delta)
  return type(message) == "table" and { message = message.content } or NOTHING
end

local function read_body(answer, profile)
  local inner, own_status = unwrap.body(answer.value)
  local header, mark = answer.headers["x-amzn-errortype"], recognize.mark_of(answer.value, profile)
  return {
    mark = mark, is_error = mark ~= nil or is_error_answer(answer), own_status = own_status,
    inner = mark and words_of_answer(answer.value) or inner,
    outer = type(answer.value) == "table" and answer.value or NOTHING,
    header_code = header and header:match("^[^:]+"),
  }
end

local function add_codes(found, read, answer)
  if read.header_code then table.insert(found.codes, read.header_code) end
  if answer.event and answer.event ~= "error" then table.insert(found.codes, answer.event) end
end

-- A function that returns all that was said, for words to be looked for in, or nil; made ready when it is asked for.
local function told_of(message, found)
  local told
  return function()
    if not told and message then
      told = said.told(found.texts[1] and message .. "\n" .. table.concat(found.texts, "\n") or message)
    end
    return told
  end
end

local function outcome_of(read)
  local outcome = read.inner.outcome or read.outer.outcome
  return outcome and text(outcome)
end

local function kind_of(answer, read, found, status, told, meanings)
  if read.mark then return read.mark.kind end
  if not read.is_error then
    local broken = answer.in_stream and is_2xx(answer.status) and not recognize.looks_like_error(answer.text)
    return broken and "stream" or "server"
  end
  return classify.kind({
    outcome = outcome_of(read), status = status, told = told,
    codes = found.codes, has_reasons = status == 403 and fields.has_reasons(found),
    has_guardrail = found.facts.guardrail ~= nil,
  }, meanings)
end

local LIMITED = { budget_exceeded = true, rate_limit = true }
local RATED = { rate_limit = true, server = true, timeout = true }
local CHECKED = { validation = true, not_found = true }

local function without_words(answer, status)
  return ("HTTP %d%s"):format(status or answer.status, answer.lost and (" (%s)"):format(answer.lost) or "")
end

local function said_name(told, meanings)
  local name
  if not told then return nil end
  said.read(meanings.said.policy_name, told, function(found)
    name = text(found.policy_name)
    return name ~= nil
  end)
  return name
end

-- What only this kind of error has.
local function add_details(err, kind, trait, found, headers, told, meanings)
  local rate = RATED[kind] and waits.rate(headers) or nil
  err.retry_after = waits.seconds(kind, headers, meanings.headers, found.facts, rate, told)
  if kind == "policy_denied" then
    err.policy_name = found.facts.policy_name or found.facts.guardrail or fields.denier(found)
      or said_name(told(), meanings)
  elseif LIMITED[kind] or trait == "too_large" then
    err.limit, err.current = numbers.limits(kind, found.facts, told, rate, meanings)
    err.budget_type = LIMITED[kind] and found.facts.budget_type or nil
  end
  if CHECKED[kind] then err.field = found.field or paths.of_words(err.message) end
end

local function final_message(answer, read, status, message)
  if not message then
    if answer.status < 400 then message = read.is_error and "the gateway reported an error" or unusable(answer) end
    message = message or without_words(answer, status)
  end
  return message
end

-- The answer as it may be shown. Its list of secrets is no part of it (each of them would be found there), nor is the
-- gateway's profile.
local function without_secrets(answer)
  local hidden, profile = answer.secrets, answer.profile
  answer.secrets, answer.profile = nil, nil
  local shown = secrets.redact(answer, hidden)
  answer.secrets, answer.profile = hidden, profile
  return shown
end

-- What the error has as its body.
local function body_of(answer)
  if answer.body ~= nil then return answer.body end
  return answer.value == nil and answer.text or answer.value
end

-- The error of an HTTP answer, or of an event inside one.
-- answer: status (HTTP's), headers (by lower-case name), text (the body, or the event's data), value (decoded; nil
-- when that is no JSON), body (the whole of it, where value is the part that tells of the error), lost (why it has no
-- body), wanted (the name of what should have come), in_stream, event (the SSE event's name), started (an event came
-- before), partial, attempts, secrets, profile (the gateway's, or nil). The secrets are hidden before anything else: a
-- message that shows the beginning of a body could show the beginning of a key.
function M.of_answer(answer)
  local profile = answer.profile
  answer = without_secrets(answer)
  local meanings, read = gateways.meanings(profile), read_body(answer, profile)
  local found = fields.gather(read.inner, read.outer, meanings.field_list)
  add_codes(found, read, answer)
  local message = read.is_error and message_of(read) or words_of_text(answer)
  message = message and with_carried(message, found, meanings)
  local status = codes.status(answer, read, message)
  local told = told_of(message, found)
  local kind, trait = kind_of(answer, read, found, status, told, meanings)
  local headers = relayed(read.inner, answer.headers)
  local statuses = { [status or answer.status] = true, [answer.status] = true }
  local err = {
    kind = kind, message = final_message(answer, read, status, message), status = status,
    code = read.is_error and codes.of(read, found, statuses, message) or nil,
    request_id = found.facts.request_id or answer.request_id
      or request_ids.first_text(answer.headers, meanings.headers.request_id.exact),
    headers = answer.headers, body = body_of(answer),
    partial = answer.partial, attempts = answer.attempts, started = answer.started,
    in_flight = trait == "in_flight", too_large = trait == "too_large",
  }
  add_details(err, kind, trait, found, headers, told, meanings)
  return errors.new(err)
end

return M
