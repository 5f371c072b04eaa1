-- errors/unwrap.lua: finds, in the body of a refusal, the table that tells about it.
-- Leans on errors/message.lua for whether words stand beside a code. Reads decoded JSON. Gateways wrap their errors in
-- many ways; see M.body, and M.is_error for whether a body is one.

local messages = require("llm_gateway.errors.message")
local scalars = require("llm_gateway.errors.scalars")

local M = {}

local text = scalars.text

local WORDS = { "message", "reason", "msg", "error_message", "error_msg", "Message", "error_description" }

local function first_of(list)
  local first = list[1]
  if type(first) == "table" then return first end
  if text(first) then return { message = first } end
end

-- A copy with a message. What it was made of tells where `error` is the message.
local function with_message(body, message)
  local copy = {}
  for key, value in pairs(body) do copy[key] = value end
  copy.message = message
  return copy
end

-- `error` may be a table, a list of them, true, or a text: a code when a message stands beside it, else the message
-- (it stays where it is, for classify to see whether it is a code as well).
local function of_error(body)
  local inner = body.error
  if type(inner) == "table" then
    if inner[1] ~= nil then return first_of(inner) or body end
    if next(inner) == nil then return body end
    local wraps = inner.error ~= nil and inner.message == nil and inner.reason == nil
    return wraps and of_error(inner) or inner
  end
  if text(inner) and not messages.of(body, WORDS) then return with_message(body, inner) end
  return body
end

local function of_detail(body)
  local detail = body.detail
  if detail[1] ~= nil then return first_of(detail) or body end
  return of_error(detail)
end

local STATUSES = { "status_code", "statusCode", "httpCode", "status", "code", "error" }

-- A numeric code that stands for the status (in a 200, or inside a stream).
function M.status(inner)
  for i = 1, #STATUSES do
    local n = tonumber(inner[STATUSES[i]])
    if n and n >= 400 and n <= 599 and n % 1 == 0 then return n end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Errors beside what is no error

-- Reasons for which a choice ends that are no errors. Some gateways put an error's name there, which has one of these.
local NAMES = { "error", "fail", "overload", "insufficient", "unavailable", "timeout", "timed_out", "rate_limit" }
local REASONS = {
  stop = true, length = true, tool_calls = true, function_call = true, content_filter = true, end_turn = true,
  max_tokens = true, tool_use = true, stop_sequence = true,
}

local function is_error_name(reason)
  if type(reason) ~= "string" or REASONS[reason] then return false end
  local lower = scalars.lower(reason)
  for _, name in ipairs(NAMES) do
    if lower:find(name, 1, true) then return true end
  end
  return false
end

local function says_error(err)
  return err ~= nil and err ~= false and err ~= "" and not (type(err) == "table" and next(err) == nil)
end

-- The error that a choice of a completion tells; nil without one.
local function of_choices(choices)
  for i = 1, #choices do
    local choice = choices[i]
    local err, reason
    if type(choice) == "table" then err, reason = choice.error, choice.finish_reason end
    if says_error(err) then return type(err) == "table" and err or { message = err } end
    if reason and is_error_name(reason) then
      return { type = reason, message = ("the answer ended with %q for its finish_reason"):format(reason) }
    end
  end
end

-- The error in a field beside the answer itself: Groq's x_groq.error, MiniMax's base_resp.
local function of_neighbours(body)
  local groq, base = body.x_groq, body.base_resp
  if type(groq) == "table" and says_error(groq.error) then
    return type(groq.error) == "table" and groq.error or { message = groq.error, request_id = groq.id }
  end
  local code = type(base) == "table" and tonumber(base.status_code)
  if code and code ~= 0 then return { code = base.status_code, message = base.status_msg } end
end

local function of_answer(body)
  return of_neighbours(body) or (type(body.choices) == "table" and of_choices(body.choices)) or nil
end

-- The table that tells what was wrong, out of a decoded body: {detail = table | text | list}, {error = table | text
-- | true | list}, {errors = {first}}, {fault = table}, a choice's error, or the body itself. Second: the status that
-- the body gives itself, if any.
function M.body(body)
  if type(body) == "string" then return { message = body } end
  if type(body) ~= "table" then return {} end
  if body[1] ~= nil then return M.body(body[1]) end
  local status = body.detail ~= nil and M.status({ status_code = body.status_code }) or nil
  if type(body.detail) == "table" and next(body.detail) ~= nil then return of_detail(body), status end
  if text(body.detail) and type(body.error) ~= "table" then return body, status end
  if body.error ~= nil and body.error ~= false then return of_error(body), status end
  if type(body.errors) == "table" and body.errors[1] ~= nil then return first_of(body.errors) or body, status end
  if type(body.fault) == "table" then return body.fault, status end
  return of_answer(body) or body, status
end

-- ---------------------------------------------------------------------------------------------------------
-- Whether a body is an error

local function is_alone(value)
  return next(value, next(value)) == nil
end

-- `error` says something, or is all there is. Some gateways write an empty one beside their results.
local function has_error(value)
  local err = value.error
  if err == nil or err == false then return false end
  if err == "" or (type(err) == "table" and next(err) == nil) then return is_alone(value) end
  return true
end

local function has_errors(value)
  return type(value.errors) == "table" and value.errors[1] ~= nil and (value.success == false or is_alone(value))
end

-- A body without an answer in it that calls itself a failure, by `success`, a code of its own or a status.
local function says_failure(value)
  if value.choices or value.data or value.object or value.output or value.id then return false end
  if value.fault ~= nil then return type(value.fault) == "table" end
  local words = value.message or value.msg or value.error_msg or value.errorMessage or value.httpMessage
  if words == nil then return false end
  local code = value.error_code or value.errorCode
  if value.success == false or (code ~= nil and code ~= 0) then return true end
  return M.status(value) ~= nil
end

local function is_list_of_error(value)
  local first = value[1]
  return value[2] == nil and type(first) == "table" and first.error ~= nil and is_alone(first) and M.is_error(first)
end

-- Whether a decoded body of a 2xx answer, or an event of a stream, is an error: one that has an `error`, or nothing but
-- `errors`, or calls itself one, or has a status beside a detail, or a choice that failed; and the list of nothing but
-- an `error`.
function M.is_error(value)
  if type(value) ~= "table" then return false end
  if value.error ~= nil and has_error(value) then return true end
  local choices = value.choices
  if type(choices) == "table" and choices[1] ~= nil then
    return of_choices(choices) ~= nil or value.x_groq ~= nil and of_neighbours(value) ~= nil
  end
  if value[1] ~= nil then return is_list_of_error(value) end
  local status = tonumber(value.status_code)
  if status and status >= 400 and value.detail ~= nil then return true end
  return value.object == "error" or has_errors(value) or of_neighbours(value) ~= nil or says_failure(value)
end

return M
