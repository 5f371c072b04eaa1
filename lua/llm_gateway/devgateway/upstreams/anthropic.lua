-- devgateway/upstreams/anthropic.lua: Anthropic's protocol: Messages, with typed events; data and forms for init.lua.
-- Leans on json. The bodies of refusals are Anthropic's own.

local json = require("llm_gateway.devgateway.json")

local REASONS = { stop = "end_turn", length = "max_tokens", tool_calls = "tool_use", content_filter = "refusal" }

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
  local messages, tools = {}, {}
  for _, message in ipairs(body.messages or {}) do add_message(messages, message) end
  for i, tool in ipairs(body.tools or {}) do
    tools[i] = { type = "function", ["function"] = { name = tool.name, description = tool.description,
      parameters = tool.input_schema } }
  end
  return { model = body.model, messages = messages, tools = tools, stream = body.stream, stop = body.stop_sequences,
    max_tokens = body.max_tokens, tool_choice = choice_of(body.tool_choice) }
end

-- ---------------------------------------------------------------------------------------------------------
-- The answer

local function usage_of(done)
  return { input_tokens = done.usage.prompt_tokens, output_tokens = done.usage.completion_tokens }
end

local function message_of(done, content, reason)
  return { id = "msg_" .. done.id, type = "message", role = "assistant", model = done.model,
    content = json.array(content), stop_reason = reason or json.null, stop_sequence = json.null,
    usage = usage_of(done) }
end

function M.whole(done)
  local choice, content = done.choices[1], {}
  for i, call in ipairs(choice.calls or {}) do
    content[i] = { type = "tool_use", id = call.id, name = call["function"].name,
      input = json.decode(call["function"].arguments) or {} }
  end
  if choice.pieces then content[1] = { type = "text", text = table.concat(choice.pieces) } end
  return message_of(done, content, REASONS[choice.finish_reason])
end

local function event(value) return "event: " .. value.type .. "\ndata: " .. json.encode(value) .. "\n\n" end

local function add_block(events, index, block, deltas)
  table.insert(events, event({ type = "content_block_start", index = index, content_block = block }))
  for _, delta in ipairs(deltas) do
    table.insert(events, event({ type = "content_block_delta", index = index, delta = delta }))
  end
  table.insert(events, event({ type = "content_block_stop", index = index }))
end

local function text_deltas(pieces)
  local deltas = {}
  for i, piece in ipairs(pieces) do deltas[i] = { type = "text_delta", text = piece } end
  return deltas
end

local function argument_deltas(text)
  local half = math.floor(#text / 2)
  return { { type = "input_json_delta", partial_json = text:sub(1, half) },
    { type = "input_json_delta", partial_json = text:sub(half + 1) } }
end

function M.stream(done)
  local choice, events = done.choices[1], {}
  table.insert(events, event({ type = "message_start", message = message_of(done, {}) }))
  table.insert(events, event({ type = "ping" }))
  if choice.pieces then add_block(events, 0, { type = "text", text = "" }, text_deltas(choice.pieces)) end
  for i, call in ipairs(choice.calls or {}) do
    local block = { type = "tool_use", id = call.id, name = call["function"].name, input = {} }
    add_block(events, i - 1, block, argument_deltas(call["function"].arguments))
  end
  local delta = { stop_reason = REASONS[choice.finish_reason], stop_sequence = json.null }
  table.insert(events, event({ type = "message_delta", delta = delta, usage = usage_of(done) }))
  table.insert(events, event({ type = "message_stop" }))
  return events
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

M.breaks = { overloaded = event({ type = "error", error = { type = "overloaded_error", message = "Overloaded" } }) }

return M
