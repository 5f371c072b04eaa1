-- devgateway/dictation.lua: tool calls that a question spells out, so that any call of a model can be tried.
-- Leans on words. A question "Call: NAME ARGUMENTS" (a line for each call; the arguments are sent as they stand, JSON
-- or not) is answered with those calls once, "Call always: NAME ARGUMENTS" in every round.

local words = require("llm_gateway.devgateway.words")

local M = {}

local function has_results(messages)
  local role = messages[#messages].role
  return role == "tool" or role == "function"
end

-- The calls (a list for a message's tool_calls) that the last question spells out, or nil.
function M.calls(messages, new_id)
  local question, list = words.last(messages, "user") or "", {}
  for always, name, arguments in question:gmatch("Call( ?a?l?w?a?y?s?): (%S+) ?([^\n]*)") do
    if always ~= "" or not has_results(messages) then
      list[#list + 1] = { id = "call_" .. new_id(), type = "function",
        ["function"] = { name = name, arguments = arguments } }
    end
  end
  return list[1] and list
end

return M
