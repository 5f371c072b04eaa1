-- reply/faults.lua: errors that come where a completion was due: in a plain 200, or in an event of a stream.
-- Leans on errors for what calls itself one. Each function takes a decoded table and returns what to tell
-- errors.of_answer, or nil.

local errors = require("llm_gateway.errors")
local lazy = require("llm_gateway.lazy")

local scalars = lazy("llm_gateway.scalars")

local M = {}

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
  return not has_choices and errors.is_refusal(value) and value or nil
end

local function has_any(value, names)
  for _, name in ipairs(names) do
    if scalars.says(value[name]) then return true end
  end
  return false
end

-- Of another dialect's answer, which is known by one of the fields `names`.
function M.of_other(value, names)
  if errors.is_error_body(value) then return value end
  return not has_any(value, names) and errors.is_refusal(value) and value or nil
end

-- Where nothing is assumed of the answer.
function M.of_plain(value)
  return errors.is_error_body(value) and value or nil
end

return M
