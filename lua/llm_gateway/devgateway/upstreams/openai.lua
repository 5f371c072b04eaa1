-- devgateway/upstreams/openai.lua: OpenAI's protocol: Chat Completions and embeddings; data and forms for init.lua.
-- Leans on json and vectors. The bodies of refusals are OpenAI's own.

local json = require("llm_gateway.devgateway.json")
local vectors = require("llm_gateway.devgateway.vectors")

local function refusal(status, message, kind, code, headers)
  local body = { error = { message = message, type = kind, param = json.null, code = code or json.null } }
  return { status = status, body = body, headers = headers }
end

local function event(value) return "data: " .. json.encode(value) .. "\n\n" end

local M = { chat = "^/v1/chat/completions$", embed = "^/v1/embeddings$", stream_type = "text/event-stream" }

function M.read(body) return body end

function M.whole(done) return done:reply() end

function M.stream(done, request)
  local events = {}
  for chunk in done:chunks() do table.insert(events, event(chunk)) end
  local options = request.stream_options
  if type(options) == "table" and options.include_usage then table.insert(events, event(done:usage_chunk())) end
  table.insert(events, "data: [DONE]\n\n")
  return events
end

function M.texts(body)
  return type(body.input) == "table" and body.input or { body.input }
end

function M.embedding(list, body, tokens)
  local data = {}
  for i, vector in ipairs(list) do
    local written = body.encoding_format == "base64" and vectors.base64(vector) or vector
    data[i] = { object = "embedding", index = i - 1, embedding = written }
  end
  return { object = "list", data = data, model = body.model, usage = { prompt_tokens = tokens, total_tokens = tokens } }
end

M.refusals = {
  authentication = refusal(401, "Incorrect API key provided: sk-dev. You can find your API key at "
    .. "https://platform.openai.com/account/api-keys.", "invalid_request_error", "invalid_api_key"),
  rate_limit = refusal(429, "Rate limit reached for gpt-4 in organization org-dev on requests per min (RPM): Limit 3, "
    .. "Used 3, Requested 1. Please try again in 20s.", "requests", "rate_limit_exceeded", { ["retry-after"] = "20" }),
  quota = refusal(429, "You exceeded your current quota, please check your plan and billing details.",
    "insufficient_quota", "insufficient_quota"),
  filter = refusal(400, "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try "
    .. "again with a different prompt.", "invalid_request_error", "content_policy_violation"),
  overloaded = refusal(503, "The engine is currently overloaded, please try again later.", "server_error", nil,
    { ["retry-after"] = "3" }),
}

M.breaks = {
  overloaded = event({ error = { message = "The server is overloaded or not ready yet.", type = "server_error",
    param = json.null, code = json.null } }),
}

return M
