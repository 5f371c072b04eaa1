-- devgateway/upstreams/bedrock.lua: Bedrock's protocol: Converse, with its binary stream, and Titan's embeddings; forms
-- for init.lua.
-- Leans on json and eventstream. Looks at no signature.

local json = require("llm_gateway.devgateway.json")
local eventstream = require("llm_gateway.devgateway.upstreams.eventstream")

local REASONS = { stop = "end_turn", length = "max_tokens", tool_calls = "tool_use",
  content_filter = "guardrail_intervened" }

local M = { chat = "^/model/[^/]+/(converse[%l-]*)$", embed = "^/model/[^/]+/invoke$",
  stream_type = "application/vnd.amazon.eventstream" }

-- ---------------------------------------------------------------------------------------------------------
-- The request

local function call_of(use)
  return { id = use.toolUseId, type = "function",
    ["function"] = { name = use.name, arguments = json.encode(use.input or {}) } }
end

local function add_message(list, message)
  local texts, calls = {}, {}
  for _, part in ipairs(message.content) do
    if part.toolResult then
      table.insert(list, { role = "tool", tool_call_id = part.toolResult.toolUseId, content = part.toolResult.content })
    elseif part.toolUse then
      table.insert(calls, call_of(part.toolUse))
    elseif part.text then
      table.insert(texts, { type = "text", text = part.text })
    end
  end
  if texts[1] or calls[1] then
    table.insert(list, { role = message.role, content = texts, tool_calls = calls[1] and calls })
  end
end

function M.read(body, operation)
  local messages, tools, settings = {}, {}, body.inferenceConfig or {}
  for _, message in ipairs(body.messages or {}) do add_message(messages, message) end
  for i, tool in ipairs((body.toolConfig or {}).tools or {}) do
    local spec = tool.toolSpec or {}
    tools[i] = { type = "function", ["function"] = { name = spec.name, description = spec.description,
      parameters = (spec.inputSchema or {}).json } }
  end
  return { model = "bedrock", messages = messages, tools = tools, stream = operation == "converse-stream",
    stop = settings.stopSequences, max_tokens = settings.maxTokens }
end

-- ---------------------------------------------------------------------------------------------------------
-- The answer

local function usage_of(done)
  local usage = done.usage
  return { inputTokens = usage.prompt_tokens, outputTokens = usage.completion_tokens, totalTokens = usage.total_tokens }
end

function M.whole(done)
  local choice, content = done.choices[1], {}
  for i, call in ipairs(choice.calls or {}) do
    content[i] = { toolUse = { toolUseId = call.id, name = call["function"].name,
      input = json.decode(call["function"].arguments) or {} } }
  end
  if choice.pieces then content[1] = { text = table.concat(choice.pieces) } end
  return { output = { message = { role = "assistant", content = content } }, usage = usage_of(done),
    stopReason = REASONS[choice.finish_reason], metrics = { latencyMs = 1 } }
end

local function message(kind, name, value)
  local headers = {
    { ":" .. kind .. "-type", name }, { ":content-type", "application/json" }, { ":message-type", kind },
  }
  return eventstream.message(headers, json.encode(value))
end

local function event(name, value) return message("event", name, value) end

local function add_block(events, index, start, deltas)
  if start then table.insert(events, event("contentBlockStart", { contentBlockIndex = index, start = start })) end
  for _, delta in ipairs(deltas) do
    table.insert(events, event("contentBlockDelta", { contentBlockIndex = index, delta = delta }))
  end
  table.insert(events, event("contentBlockStop", { contentBlockIndex = index }))
end

local function text_deltas(pieces)
  local deltas = {}
  for i, piece in ipairs(pieces) do deltas[i] = { text = piece } end
  return deltas
end

local function argument_deltas(text)
  local half = math.floor(#text / 2)
  return { { toolUse = { input = text:sub(1, half) } }, { toolUse = { input = text:sub(half + 1) } } }
end

function M.stream(done)
  local choice, events = done.choices[1], { event("messageStart", { role = "assistant" }) }
  if choice.pieces then add_block(events, 0, nil, text_deltas(choice.pieces)) end
  for i, call in ipairs(choice.calls or {}) do
    local start = { toolUse = { toolUseId = call.id, name = call["function"].name } }
    add_block(events, i - 1, start, argument_deltas(call["function"].arguments))
  end
  table.insert(events, event("messageStop", { stopReason = REASONS[choice.finish_reason] }))
  table.insert(events, event("metadata", { usage = usage_of(done), metrics = { latencyMs = 1 } }))
  return events
end

function M.texts(body) return { body.inputText } end

function M.embedding(list, _, tokens)
  return { embedding = list[1], inputTextTokenCount = tokens }
end

-- ---------------------------------------------------------------------------------------------------------
-- What goes wrong

local function refusal(status, kind, text)
  return { status = status, body = { message = text }, headers = { ["x-amzn-errortype"] = kind } }
end

M.refusals = {
  authentication = refusal(403, "UnrecognizedClientException",
    "The security token included in the request is invalid."),
  rate_limit = refusal(429, "ThrottlingException", "Too many requests, please wait before trying again."),
  quota = refusal(400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account."),
  filter = refusal(400, "ValidationException", "The model returned the following errors: Output blocked by content "
    .. "filtering policy"),
  overloaded = refusal(503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
}

M.breaks = {
  overloaded = message("exception", "serviceUnavailableException", { message = "Bedrock is unable to process your "
    .. "request." }),
}

return M
