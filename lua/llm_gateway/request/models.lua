-- request/models.lua: the models of the API (chat, embeddings), each as a table of checks, and the body that is sent.
-- Leans on the validators of schema/, on request/tool_arguments.lua, request/near_miss.lua and json. Nothing
-- here sends anything.

local call_options = require("llm_gateway.request.call_options")
local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")
local of_requests = require("llm_gateway.schema.requests")

local near_miss = lazy("llm_gateway.request.near_miss")
local tool_arguments = lazy("llm_gateway.request.tool_arguments")

local M = {}

local text, full_text, header_text, object = checks.text, checks.full_text, checks.header_text, checks.object
local boolean, integer, positive = checks.boolean, of_requests.integer, of_requests.positive
local between, one_of, either = of_requests.between, of_requests.one_of, of_requests.either
local list_of, fields_of, whole = of_requests.list_of, of_requests.fields_of, of_requests.whole

-- ---------------------------------------------------------------------------------------------------------
-- The models

local function field(name, check, required)
  return { name = name, check = check, required = required }
end

local part = fields_of({ field("type", full_text, "is missing: each part needs one, such as text or image_url") })

local role = one_of("system", "developer", "user", "assistant", "function", "tool")

local text_or_parts = either(text, list_of(part, 0), "text or a list of parts")

-- What a tool gave back is often a table.
local function content(value)
  local message, where = text_or_parts(value)
  if message and not where and type(value) == "table" then
    message = message .. " (llm.json.encode makes text of a table)"
  end
  return message, where
end

local MESSAGE = {
  field("role", role, "is missing: expected one of system, developer, user, assistant, function, tool"),
  field("content", content),
  field("name", text),
  field("function_call", object),
  field("tool_calls", list_of(object, 0)),
  field("tool_call_id", text),
}

local OF_THE_GATEWAY = { field("app_id", header_text), field("feature", header_text), field("dry_run", boolean) }

local CHAT = {
  field("model", full_text),
  field("messages", list_of(fields_of(MESSAGE), 1), "is missing: at least one message is needed"),
  field("temperature", between(0, 2)),
  field("max_tokens", positive),
  field("top_p", between(0, 1)),
  field("frequency_penalty", between(-2, 2)),
  field("presence_penalty", between(-2, 2)),
  field("n", positive),
  field("stop", either(text, list_of(text, 0), "text or a list of texts")),
  field("stream", boolean),
  field("tools", list_of(object, 0)),
  field("tool_choice", either(text, object, "text or a table")),
  field("response_format", either(text, object, "text or a table")),
  field("seed", integer),
  field("user", text),
}

local text_or_list = either(text, list_of(object, 0), "text or a list")

local RESPONSES = {
  field("model", full_text),
  field("input", text_or_list),
  field("instructions", text_or_list),
  field("stream", boolean),
  field("tools", list_of(object, 0)),
}

local MESSAGES = {
  field("model", full_text),
  field("messages", list_of(fields_of(MESSAGE), 1), "is missing: at least one message is needed"),
  field("system", text_or_parts),
  field("max_tokens", positive),
  field("stream", boolean),
  field("tools", list_of(object, 0)),
}

local function is_keyed(value)
  return type(value) == "table" and #value == 0 and next(value) ~= nil
end

local tokens = list_of(integer, 1)

-- One of several inputs: text, a token, a list of tokens, or what a gateway for images takes ({image = ...}).
local function input(value)
  if is_keyed(value) then return nil end
  if type(value) == "table" then return tokens(value) end
  if type(value) == "number" then return integer(value) end
  return text(value)
end

local EMBEDDING = {
  field("model", full_text),
  field("input", either(text, list_of(input, 1), "text or a list"), "is missing"),
  field("encoding_format", one_of("float", "base64")),
  field("dimensions", positive),
  field("user", text),
}

for _, extra in ipairs(OF_THE_GATEWAY) do
  table.insert(CHAT, extra)
  table.insert(RESPONSES, extra)
  table.insert(MESSAGES, extra)
  table.insert(EMBEDDING, extra)
end

-- ---------------------------------------------------------------------------------------------------------
-- Bodies

-- Fields that go out unchecked: their names are known, so that a slip of the pen is seen.
local UNCHECKED = {
  chat = "max_completion_tokens reasoning_effort parallel_tool_calls stream_options top_logprobs logit_bias "
    .. "service_tier web_search_options",
  responses = "temperature max_output_tokens tool_choice previous_response_id parallel_tool_calls truncation "
    .. "reasoning metadata service_tier stream_options",
  messages = "temperature tool_choice stop_sequences thinking metadata service_tier",
}

-- A model with what is needed to judge a request: {check, known (true by field's name), default_model}.
local function prepared(fields, default_model, unchecked)
  local known = {}
  for _, one in ipairs(fields) do known[one.name] = true end
  for name in (unchecked or ""):gmatch("%S+") do known[name] = true end
  return { check = fields_of(fields), known = known, default_model = default_model }
end

local chat = prepared(CHAT, "gpt-4", UNCHECKED.chat)
local embedding = prepared(EMBEDDING, "text-embedding-ada-002")
local responses_model = prepared(RESPONSES, nil, UNCHECKED.responses) -- without a default model
local messages_model = prepared(MESSAGES, nil, UNCHECKED.messages)
local message_model = prepared(MESSAGE)

local function refused(value)
  return nil, errors.invalid("", "a request is a table, got " .. checks.shown(value))
end

local NONE = {}

-- A checked copy, with the model's default and without the fields `left_out`; or nil, err. The third result is a field
-- of it that the model does not know, if there is one.
local function checked(model, value, left_out)
  local new = { model = model.default_model, messages = nil, stream = nil } -- room for most
  local known, unknown = model.known, nil
  for name, item in next, value do
    if not left_out[name] then
      new[name] = item
      if not known[name] then unknown = name end
    end
  end
  local message, path = model.check(new)
  if message then return nil, errors.invalid(whole(path or ""), message) end
  return new, nil, unknown
end

-- The error of a field whose name is nearly that of a known one; nil without any.
local function misspelt(model, body)
  for name in pairs(body) do
    if not model.known[name] then
      local meant = near_miss.of(name, model.known, call_options.checks)
      if meant then return errors.invalid(tostring(name), near_miss.words(meant)) end
    end
  end
end

local function has_calls(messages)
  for i = 1, #messages do
    if messages[i].tool_calls ~= nil or messages[i].function_call ~= nil then return true end
  end
end

-- Makes text of the arguments of calls, which are often given as tables; or err.
local function mend_arguments(body)
  if not has_calls(body.messages) then return nil end
  local messages, message, where = tool_arguments.as_text(body.messages)
  if not messages then return errors.invalid("messages" .. where, message) end
  body.messages = messages
end

-- The body to send: without the call's own options, with extra_body on top.
local function body_of(model, request)
  if type(request) ~= "table" then return refused(request) end
  local body, err, unknown = checked(model, request, call_options.checks)
  if not body then return nil, err end
  err = unknown ~= nil and misspelt(model, body) or (model == chat and mend_arguments(body))
  if err then return nil, err end
  if request.extra_body then
    for name, value in pairs(request.extra_body) do body[name] = value end
  end
  return body
end

-- A chat request as the body to send; or nil, err. The caller's tables stay as they are.
function M.chat(request)
  return body_of(chat, request)
end

-- An embeddings request as the body to send; or nil, err.
function M.embeddings(request)
  return body_of(embedding, request)
end

-- The same of the Responses dialect and of the Messages dialect.
function M.responses(request)
  return body_of(responses_model, request)
end

function M.messages(request)
  return body_of(messages_model, request)
end

-- JSON text of a body; or nil, err.
function M.encode(body)
  local encoded, message, path = json.encode(body)
  if encoded then return encoded end
  return nil, errors.invalid(path or "", message)
end

local function constructor(name, model)
  return function(value, level)
    if type(value) ~= "table" then error(("%s: expected a table, got %s"):format(name, type(value)), level + 1) end
    local new, err = checked(model, value, NONE)
    return new, err
  end
end

-- Each returns a checked copy of a table (with the model's default), or nil, err. `level` says how far above the caller
-- misuse is told.
M.ChatMessage = constructor("ChatMessage", message_model)
M.ChatCompletionRequest = constructor("ChatCompletionRequest", chat)
M.EmbeddingRequest = constructor("EmbeddingRequest", embedding)

return M
