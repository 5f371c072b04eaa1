-- devgateway/dialects.lua: the completions of the development gateway as Responses and as Anthropic's Messages: what is
-- asked becomes a chat, and what is answered an object or typed events.
-- Leans on json. Never writes to a connection.

local json = require("llm_gateway.devgateway.json")

local M = {}

local function list_of(value)
  return type(value) == "table" and value or {}
end

-- A tool of either dialect as a chat's.
local function tool_as_chat(tool)
  local described = { name = tool.name, description = tool.description,
    parameters = tool.parameters or tool.input_schema }
  return { type = "function", ["function"] = described }
end

local function as_chat(given, messages, system)
  local chat = { model = given.model, max_tokens = given.max_tokens or given.max_output_tokens, messages = messages }
  if system then table.insert(messages, 1, { role = "system", content = system }) end
  for i, tool in ipairs(list_of(given.tools)) do
    chat.tools = chat.tools or {}
    chat.tools[i] = tool_as_chat(tool)
  end
  return chat
end

local function text_of(choice)
  return table.concat(choice.pieces or {})
end

local function add(events, kind, fields)
  fields.type = kind
  events[#events + 1] = { kind, fields }
end

-- ---------------------------------------------------------------------------------------------------------
-- Responses

local responses = {}
M.responses = responses

-- The chat that a request asks for.
function responses.as_chat(given)
  local messages = {}
  if type(given.input) == "string" then messages[1] = { role = "user", content = given.input } end
  for _, item in ipairs(list_of(given.input)) do
    if item.role then messages[#messages + 1] = { role = item.role, content = item.content } end
  end
  return as_chat(given, messages, given.instructions)
end

local function output_of(done)
  local choice, output = done.choices[1], {}
  for i, call in ipairs(choice.calls or {}) do
    output[i] = { type = "function_call", id = "fc_" .. i, call_id = call.id, name = call["function"].name,
      arguments = call["function"].arguments, status = "completed" }
  end
  if choice.calls then return json.array(output) end
  local part = { type = "output_text", text = text_of(choice), annotations = json.array({}) }
  return json.array({ { type = "message", id = "msg_1", role = "assistant", status = "completed",
    content = json.array({ part }) } })
end

local function response(done, status, output)
  local cut = done.choices[1].finish_reason == "length" and status == "completed"
  return { id = "resp_" .. done.id, object = "response", created_at = done.created, model = done.model,
    status = cut and "incomplete" or status, output = output, text = { format = { type = "text" } },
    incomplete_details = cut and { reason = "max_output_tokens" } or nil,
    usage = { input_tokens = done.usage.prompt_tokens, output_tokens = done.usage.completion_tokens,
      total_tokens = done.usage.total_tokens } }
end

-- The whole answer.
function responses.whole(done)
  return response(done, "completed", output_of(done))
end

-- Its events: a list of {name, value}.
function responses.events(done)
  local events, choice, whole = {}, done.choices[1], responses.whole(done)
  add(events, "response.created", { response = response(done, "in_progress", json.array({})) })
  for i, item in ipairs(whole.output) do
    add(events, "response.output_item.added", { output_index = i - 1, item = { type = item.type, id = item.id,
      call_id = item.call_id, name = item.name, role = item.role } })
    if item.arguments then
      add(events, "response.function_call_arguments.delta", { output_index = i - 1, delta = item.arguments })
    end
    for _, piece in ipairs(item.role and choice.pieces or {}) do
      add(events, "response.output_text.delta", { output_index = i - 1, content_index = 0, delta = piece })
    end
    add(events, "response.output_item.done", { output_index = i - 1, item = item })
  end
  add(events, "response." .. whole.status, { response = whole })
  return events
end

-- ---------------------------------------------------------------------------------------------------------
-- Messages

local messages = {}
M.messages = messages

local REASONS = { stop = "end_turn", length = "max_tokens", tool_calls = "tool_use", content_filter = "refusal" }

-- The chat that a request asks for.
function messages.as_chat(given)
  local list = {}
  for i, message in ipairs(list_of(given.messages)) do list[i] = message end
  return as_chat(given, list, given.system)
end

local function message(done, content, reason)
  return { id = "msg_" .. done.id, type = "message", role = "assistant", model = done.model, content = content,
    stop_reason = reason, usage = { input_tokens = done.usage.prompt_tokens,
      output_tokens = done.usage.completion_tokens } }
end

-- The whole answer.
function messages.whole(done)
  local choice, content = done.choices[1], {}
  for i, call in ipairs(choice.calls or {}) do
    content[i] = { type = "tool_use", id = call.id, name = call["function"].name,
      input = json.decode(call["function"].arguments) }
  end
  if not choice.calls then content[1] = { type = "text", text = text_of(choice) } end
  return message(done, json.array(content), REASONS[choice.finish_reason])
end

-- Its events: a list of {name, value}.
function messages.events(done)
  local events, choice, whole = {}, done.choices[1], messages.whole(done)
  add(events, "message_start", { message = message(done, json.array({})) })
  add(events, "ping", {})
  for i, block in ipairs(whole.content) do
    local begun = { type = block.type, text = block.text and "", id = block.id, name = block.name,
      input = block.input and {} }
    local call = choice.calls and choice.calls[i]
    add(events, "content_block_start", { index = i - 1, content_block = begun })
    if call then
      local delta = { type = "input_json_delta", partial_json = call["function"].arguments }
      add(events, "content_block_delta", { index = i - 1, delta = delta })
    end
    for _, piece in ipairs(choice.pieces or {}) do
      add(events, "content_block_delta", { index = i - 1, delta = { type = "text_delta", text = piece } })
    end
    add(events, "content_block_stop", { index = i - 1 })
  end
  add(events, "message_delta", { delta = { stop_reason = whole.stop_reason }, usage = whole.usage })
  add(events, "message_stop", {})
  return events
end

return M
