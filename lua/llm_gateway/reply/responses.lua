-- reply/responses.lua: the dialect of Responses: how its events are read, and its whole answers.
-- Leans on reply/content.lua, reply/faults.lua and reply/typed.lua; responses_collector.lua makes the object of the
-- events. dialects.lua says what a dialect is.

local content = require("llm_gateway.reply.content")
local faults = require("llm_gateway.reply.faults")
local lazy = require("llm_gateway.lazy")
local typed = require("llm_gateway.reply.typed")

local collectors = lazy("llm_gateway.reply.responses_collector")

local M = { wanted = "a response", strict = true, typed = true }

local function table_of(value) return type(value) == "table" and value or {} end

local function place_of(event)
  return tostring(event.output_index) .. "/" .. tostring(event.content_index or event.summary_index)
end

local function failed(response)
  if type(response.error) == "table" or type(response.error) == "string" then return response end
  return { error = { message = "the response failed", code = "response_failed" } }
end

-- ---------------------------------------------------------------------------------------------------------
-- Reading

local STEPS = {}

STEPS["response.output_text.delta"] = function(reader, event)
  local place = place_of(event)
  event.delta = reader:add_text(place, event.delta)
  reader.streamed = reader.streamed or {}
  reader.streamed[place] = true
end

-- The whole text of a part: news only where no delta brought it.
STEPS["response.output_text.done"] = function(reader, event)
  local place = place_of(event)
  reader.streamed = reader.streamed or {}
  if not reader.streamed[place] then event.text = reader:add_text(place, event.text) end
  reader.streamed[place] = true
end

local function add_reasoning(reader, event) event.delta = reader:add_reasoning("r" .. place_of(event), event.delta) end

STEPS["response.reasoning_text.delta"] = add_reasoning
STEPS["response.reasoning_summary_text.delta"] = add_reasoning
STEPS["response.reasoning_summary.delta"] = add_reasoning

STEPS["response.function_call_arguments.delta"] = function(reader, event)
  if type(event.delta) == "string" then event.delta = reader:join("f" .. place_of(event), event.delta) end
end

local function finish(reader, event)
  local response = table_of(event.response)
  if response.status == "failed" or faults.of_other(response, { "output", "id" }) then return failed(response) end
  if not reader.streamed then reader:add_text("whole", content.output_text(response.output)) end
  reader:finish()
end

STEPS["response.completed"] = finish
STEPS["response.incomplete"] = finish
STEPS["response.failed"] = function(_, event) return failed(table_of(event.response)) end
STEPS.error = function(_, event) return event end

function M.reader() return typed.reader(STEPS) end
function M.collector() return collectors.new() end

-- ---------------------------------------------------------------------------------------------------------
-- Whole answers

function M.fault(value)
  if value.status == "failed" then return failed(value) end
  return faults.of_other(value, { "output" })
end

function M.is_whole(value) return type(value.output) == "table" end

function M.events_of(value)
  local kind = value.status == "incomplete" and "response.incomplete" or "response.completed"
  return { { { type = kind, response = value }, kind } }
end

function M.tidy(value) return value end

return M
