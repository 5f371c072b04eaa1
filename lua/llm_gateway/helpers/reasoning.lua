-- helpers/reasoning.lua: one word for how hard a model thinks, as the field that a gateway has for it.
-- Leans on schema/ and errors/. Which field that is, is the gateways' data (`reasoning` of a profile).
-- A table is some gateway's own form and goes out as it is.

local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")

local M = {}

local LEVELS = { low = true, medium = true, high = true }

-- Anthropic counts thinking in tokens, 1024 at least, and fewer than max_tokens.
local BUDGETS = { low = 1024, medium = 4096, high = 16384 }
local LEAST_BUDGET = 1024

local function invalid(message)
  return errors.invalid("reasoning", message)
end

local function budget_for(level, body)
  local most = body.max_tokens
  if type(most) ~= "number" or BUDGETS[level] < most then return BUDGETS[level] end
  if most <= LEAST_BUDGET then return nil, invalid("thinking takes 1024 tokens, so that max_tokens has to be more") end
  return most - 1
end

-- Each puts a level, or false for no thinking, into a body; or returns an error.
local ways = {}

function ways.reasoning_effort(body, level)
  body.reasoning_effort = level or "none"
end

function ways.reasoning(body, level)
  body.reasoning = { effort = level or "none" }
end

function ways.thinking(body, level)
  if not level then
    body.thinking = { type = "disabled" }
    return nil
  end
  local budget, err = budget_for(level, body)
  if err then return err end
  body.thinking = { type = "enabled", budget_tokens = budget }
end

-- Some only know yes and no.
function ways.thinking_type(body, level)
  body.thinking = { type = level and "enabled" or "disabled" }
end

function ways.enable_thinking(body, level)
  body.enable_thinking = level ~= false
end

local FIELDS = { thinking_type = "thinking" } -- of a way that is not called like it
local DEFAULT_WAY = "reasoning_effort"

-- Replaces `reasoning` in a body (the caller's own copy), where it is "low", "medium", "high" or false, by what the
-- gateway takes. way: the name of it (see gateways/init.lua), or of a field that takes the word itself; nil for what
-- OpenAI's API has. Returns nothing, or an error of kind `validation`.
function M.put(body, way)
  local level = body.reasoning
  if level == nil or type(level) == "table" then return nil end
  if level ~= false and not LEVELS[level] then
    return invalid('expected "low", "medium", "high", false or a table, got ' .. checks.shown(level))
  end
  way = way or DEFAULT_WAY
  body.reasoning = nil
  local field = FIELDS[way] or way
  if body[field] ~= nil then return invalid(("stands for %s here, which is there too"):format(field)) end
  if ways[way] then return ways[way](body, level) end
  body[field] = level
end

return M
