-- devgateway/upstreams/anthropic.lua: Anthropic's protocol: Messages, with typed events; data and forms for init.lua.
-- Leans on json, and on dialects for the answer. The bodies of refusals are Anthropic's own.

local json = require("llm_gateway.devgateway.json")
local messages = require("llm_gateway.devgateway.dialects").messages

local M = { chat = "^/v1/messages$", embed = "^/none$", stream_type = "text/event-stream" }

-- ---------------------------------------------------------------------------------------------------------
-- The request

local function call_of(part)
  return { id = part.id, type = "function",
    ["function"] = { name = part.name, arguments = json.encode(part.input or {}) } }
end

-- A message's parts: results of tools become messages of their own, as Chat Completions has them.
local function add_message(list, message)
  if type(message.content) ~= "table" then return table.insert(list, message) end
  local texts, calls = {}, {}
  for _, part in ipairs(message.content) do
    if part.type == "tool_result" then
      table.insert(list, { role = "tool", tool_call_id = part.tool_use_id, content = part.content })
    elseif part.type == "tool_use" then
      table.insert(calls, call_of(part))
    else
      table.insert(texts, part)
    end
  end
  if texts[1] or calls[1] then
    table.insert(list, { role = message.role, content = texts, tool_calls = calls[1] and calls })
  end
end

local CHOICES = { any = "required", none = "none", auto = "auto" }

local function choice_of(choice)
  if not choice then return nil end
  if choice.type == "tool" then return { type = "function", ["function"] = { name = choice.name } } end
  return CHOICES[choice.type]
end

function M.read(body)
  local list, tools = {}, {}
  for _, message in ipairs(body.messages or {}) do add_message(list, message) end
  for i, tool in ipairs(body.tools or {}) do
    tools[i] = { type = "function", ["function"] = { name = tool.name, description = tool.description,
      parameters = tool.input_schema } }
  end
  return { model = body.model, messages = list, tools = tools, stream = body.stream, stop = body.stop_sequences,
    max_tokens = body.max_tokens, tool_choice = choice_of(body.tool_choice) }
end

-- ---------------------------------------------------------------------------------------------------------
-- The answer

M.whole = messages.whole

local function event(name, value) return "event: " .. name .. "\ndata: " .. json.encode(value) .. "\n\n" end

function M.stream(done)
  local texts = {}
  for i, pair in ipairs(messages.events(done)) do texts[i] = event(pair[1], pair[2]) end
  return texts
end

-- ---------------------------------------------------------------------------------------------------------
-- What goes wrong

local function refusal(status, kind, message, headers)
  return { status = status, headers = headers,
    body = { type = "error", error = { type = kind, message = message }, request_id = "req_upstream" } }
end

M.refusals = {
  authentication = refusal(401, "authentication_error", "invalid x-api-key"),
  rate_limit = refusal(429, "rate_limit_error", "This request would exceed your organization's rate limit of 50 "
    .. "requests per minute.", { ["retry-after"] = "20", ["anthropic-ratelimit-requests-limit"] = "50",
    ["anthropic-ratelimit-requests-remaining"] = "0" }),
  quota = refusal(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go "
    .. "to Plans & Billing to upgrade or purchase credits."),
  filter = refusal(400, "invalid_request_error", "Output blocked by content filtering policy"),
  overloaded = refusal(529, "overloaded_error", "Overloaded"),
}

M.breaks = {
  overloaded = event("error", { type = "error", error = { type = "overloaded_error", message = "Overloaded" } }),
}

return M
