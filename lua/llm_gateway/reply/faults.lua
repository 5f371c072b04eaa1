-- reply/faults.lua: errors that come where a completion was due: in a plain 200, or in an event of a stream.
-- Leans on errors for what calls itself one. Each function takes a decoded table and returns what to tell
-- errors.of_answer, or nil. Here is what tells only because there is no answer beside it.

local errors = require("llm_gateway.errors")

local M = {}

local function is_said(value)
  if value == nil or value == false or value == "" or value == 0 then return false end
  return type(value) ~= "table" or next(value) ~= nil
end

local function has_one(value, names)
  for _, name in ipairs(names) do
    if is_said(value[name]) then return true end
  end
  return false
end

local WORDS = { "message", "msg", "error_msg", "error_message", "detail", "reason", "title", "error_description" }
local CODES = { "error_code", "errorCode", "err_code", "error_type", "error_msg", "__type" }
local FINE = { ["0"] = true, ["200"] = true, ok = true, success = true, succeeded = true }

local function is_code(code)
  local kind = type(code)
  return (kind == "number" or kind == "string") and is_said(code) and not FINE[tostring(code):lower():gsub("%.0$", "")]
end

local function is_status(status)
  return (tonumber(status) or 0) >= 400 or status == "error" or status == "failed" or status == "fail"
end

local function is_alone(value)
  return next(value, next(value)) == nil
end

-- Words beside a code are a refusal, where no answer is; so are words that are all there is.
local function tells_refusal(value)
  if value.dry_run == true then return false end
  if value.type == "error" or has_one(value, CODES) then return true end
  if not has_one(value, WORDS) then return false end
  return value.success == false or is_code(value.code) or is_status(value.status) or is_status(value.status_code)
    or is_alone(value)
end

local USUAL = { stop = true, length = true, tool_calls = true }

-- Whether a chunk of one choice has no field in which an error could be. Nearly every chunk passes here.
local function is_usual(value, choices)
  local choice = choices[1]
  if value.error ~= nil or value.x_groq ~= nil or value.base_resp ~= nil then return false end
  if choices[2] ~= nil or type(choice) ~= "table" or choice.error ~= nil then return false end
  local reason = choice.finish_reason
  return reason == nil or USUAL[reason] == true
end

-- Of a chat's completion, or a chunk of one.
function M.of_chat(value)
  local choices = value.choices
  local has_choices = type(choices) == "table" and choices[1] ~= nil
  if has_choices and is_usual(value, choices) then return nil end
  if errors.is_error_body(value) then return value end
  return not has_choices and tells_refusal(value) and value or nil
end

-- Of another dialect's answer, which is known by one of the fields `names`.
function M.of_other(value, names)
  if errors.is_error_body(value) then return value end
  return not has_one(value, names) and tells_refusal(value) and value or nil
end

-- Where nothing is assumed of the answer.
function M.of_plain(value)
  return errors.is_error_body(value) and value or nil
end

return M
