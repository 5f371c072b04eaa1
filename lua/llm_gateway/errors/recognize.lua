-- errors/recognize.lua: whether an answer, or an event of a stream, is an error at all, and where it says so.
-- Leans on scalars.lua once there is a doubt. Every reply and every chunk passes here: it loads nothing else, and does
-- not say what went wrong.

local lazy = require("llm_gateway.lazy")

local scalars = lazy("llm_gateway.scalars")

local M = {}

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
  return err ~= nil and err ~= false and scalars.says(err)
end

-- The error that a choice of a completion tells; nil without one.
function M.of_choices(choices)
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
function M.of_neighbours(body)
  local groq, base = body.x_groq, body.base_resp
  if type(groq) == "table" and says_error(groq.error) then
    return type(groq.error) == "table" and groq.error or { message = groq.error, request_id = groq.id }
  end
  local code = type(base) == "table" and tonumber(base.status_code)
  if code and code ~= 0 then -- the type tells MiniMax's 1002 from another's
    return { code = base.status_code, message = base.status_msg, type = "base_resp_" .. tostring(base.status_code) }
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Whether a body is an error

local function is_alone(value)
  return next(value, next(value)) == nil
end

-- Fields that have an error's words, the best known first. (errors/message.lua looks into others too.)
M.WORDS = {
  "message", "reason", "msg", "error_message", "error_msg", "Message", "detail", "error_description", "errorMessage",
  "httpMessage",
}

-- Those of them, and those with a code, that by their name belong to an error.
local ERROR_WORDS = { "error_msg", "error_message", "errorMessage", "error_description" }
local CODES = { "error_code", "errorCode", "err_code", "error_type", "__type" }
local FINE = { ["0"] = true, ["200"] = true, ok = true, success = true, succeeded = true }

local function is_code(code)
  local kind = type(code)
  if kind ~= "number" and kind ~= "string" then return false end
  return scalars.says(code) and not FINE[scalars.lower(tostring(code)):gsub("%.0$", "")]
end

local function any(value, names, says)
  for i = 1, #names do
    local item = value[names[i]]
    if item ~= nil and says(item) then return true end
  end
  return false
end

-- A title may be no more than the status's name; it is words all the same.
local function has_words(value)
  return any(value, M.WORDS, scalars.says) or scalars.says(value.title)
end

-- `error` says something, or is all there is. Some gateways write an empty one beside their results.
local function has_error(value)
  local err = value.error
  if err == nil or err == false then return false end
  return scalars.says(err) or is_alone(value)
end

local function has_errors(value)
  return type(value.errors) == "table" and value.errors[1] ~= nil and (value.success == false or is_alone(value))
end

-- A body without an answer in it that calls itself a failure, by `success`, a code of its own or a status.
local function says_failure(value)
  if value.choices or value.data or value.object or value.output or value.id then return false end
  if value.fault ~= nil then return type(value.fault) == "table" end
  if not has_words(value) then return false end
  return value.success == false or any(value, CODES, is_code) or M.status(value) ~= nil
end

local function is_failure(status)
  return (tonumber(status) or 0) >= 400 or status == "error" or status == "failed" or status == "fail"
end

-- Whether a body that has not what was asked for is a refusal: words beside a code, and words that are all there is.
-- This adds to what is_error tells of any body.
function M.is_refusal(value)
  if value.dry_run == true then return false end
  if value.type == "error" or any(value, CODES, is_code) or any(value, ERROR_WORDS, scalars.says) then return true end
  if not has_words(value) then return false end
  return value.success == false or is_code(value.code) or is_failure(value.status) or is_failure(value.status_code)
    or is_alone(value)
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
    return M.of_choices(choices) ~= nil or value.x_groq ~= nil and M.of_neighbours(value) ~= nil
  end
  if value[1] ~= nil then return is_list_of_error(value) end
  local status = tonumber(value.status_code)
  if status and status >= 400 and value.detail ~= nil then return true end
  return value.object == "error" or has_errors(value) or M.of_neighbours(value) ~= nil or says_failure(value)
end

-- What a named gateway's profile knows of a refusal that comes as a good answer: its mark in this body, or nil.
function M.mark_of(value, profile)
  local marks = profile and type(value) == "table" and profile.refusal_in_200
  for i = 1, marks and #marks or 0 do
    if value[marks[i].field] == marks[i].value then return marks[i] end
  end
end

-- Whether a decoded body of a 2xx answer, or an event of a stream, is an error; `profile` (may be nil) knows marks of
-- refusals that come as a good answer.
function M.is_error_body(value, profile)
  return M.is_error(value) or M.mark_of(value, profile) ~= nil
end

-- Whether an event's data that cannot be decoded is meant as an error all the same.
function M.looks_like_error(data)
  return type(data) == "string" and data:find('^%s*{%s*"error"') ~= nil
end

return M
