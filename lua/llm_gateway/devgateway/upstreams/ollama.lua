-- devgateway/upstreams/ollama.lua: Ollama's protocol: /api/chat in lines of JSON, /api/embed and the older
-- /api/embeddings; forms for init.lua.
-- Leans on json. Ollama asks for no key and has no quota; a line {"error"} is all that it says in a stream.

local json = require("llm_gateway.devgateway.json")

local M = { chat = "^/api/chat$", embed = "^/api/embed", stream_type = "application/x-ndjson" }

-- Arguments come as objects; a stream is the rule. The request itself stays as it came.
local function as_text(call)
  local said = call["function"] or {}
  local arguments = type(said.arguments) == "table" and json.encode(said.arguments) or said.arguments
  return { id = call.id, type = "function", ["function"] = { name = said.name, arguments = arguments } }
end

function M.read(body)
  local messages = {}
  for i, message in ipairs(body.messages or {}) do
    local calls = {}
    for j, call in ipairs(message.tool_calls or {}) do calls[j] = as_text(call) end
    messages[i] = { role = message.role, content = message.content, name = message.tool_name,
      tool_call_id = message.tool_call_id, tool_calls = calls[1] and calls }
  end
  return { model = body.model, messages = messages, tools = body.tools, stream = body.stream ~= false,
    max_tokens = (body.options or {}).num_predict }
end

local function calls_of(choice)
  local calls = {}
  for i, call in ipairs(choice.calls or {}) do
    calls[i] = { ["function"] = { index = i - 1, name = call["function"].name,
      arguments = json.decode(call["function"].arguments) or {} } }
  end
  return calls[1] and calls
end

local function line_of(done, content, calls)
  return { model = done.model, created_at = "2026-11-25T12:00:00.000000Z", done = false,
    message = { role = "assistant", content = content, tool_calls = calls } }
end

local function finished(done, line)
  local reason = done.choices[1].finish_reason
  line.done, line.done_reason = true, reason == "length" and "length" or "stop"
  line.total_duration, line.load_duration = 1000000, 1000
  line.prompt_eval_count, line.eval_count = done.usage.prompt_tokens, done.usage.completion_tokens
  line.prompt_eval_duration, line.eval_duration = 1000, 1000
  return line
end

function M.whole(done)
  local choice = done.choices[1]
  return finished(done, line_of(done, table.concat(choice.pieces or {}), calls_of(choice)))
end

function M.stream(done)
  local choice, lines = done.choices[1], {}
  local function add(line) table.insert(lines, json.encode(line) .. "\n") end
  for _, piece in ipairs(choice.pieces or {}) do add(line_of(done, piece)) end
  if choice.calls then add(line_of(done, "", calls_of(choice))) end
  add(finished(done, line_of(done, "")))
  return lines
end

function M.texts(body)
  if body.prompt then return { body.prompt } end -- of the older path
  return type(body.input) == "table" and body.input or { body.input }
end

function M.embedding(list, body, tokens)
  if body.prompt then return { embedding = list[1] } end
  return { model = body.model, embeddings = list, total_duration = 1000000, load_duration = 1000,
    prompt_eval_count = tokens }
end

M.refusals = {
  missing = { status = 404, body = { error = "model 'llama3' not found" } },
  overloaded = { status = 503, body = { error = "server busy, please try again.  maximum pending requests exceeded" } },
}

M.breaks = { overloaded = '{"error":"an error was encountered while running the model: CUDA error: out of memory"}\n' }

return M
