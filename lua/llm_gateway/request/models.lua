-- request/models.lua: what may be sent: the models of the API as tables of checks, and the options of one call.
-- Leans on checks.lua, errors.lua for what it complains with, json.lua, and options.lua for what only a client may be
-- told. Nothing here sends anything.

local checks = require("llm_gateway.request.schema")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local options = require("llm_gateway.options")

local M = {}

local text, full_text, header_text, object = checks.text, checks.full_text, checks.header_text, checks.object
local boolean, integer, positive, between = checks.boolean, checks.integer, checks.positive, checks.between
local one_of, either, list_of, fields_of = checks.one_of, checks.either, checks.list_of, checks.fields_of
local shown, duration, count = checks.shown, checks.duration, checks.count

-- ---------------------------------------------------------------------------------------------------------
-- The models

local function field(name, check, required)
  return { name = name, check = check, required = required }
end

local part = fields_of({ field("type", full_text, "is missing: each part needs one, such as text or image_url") })

local role = one_of("system", "developer", "user", "assistant", "function", "tool")

local text_or_parts = either(text, list_of(part, 0), "text or a list of parts")

-- What a tool gave back is often a table.
local function content(value, path)
  local message, where = text_or_parts(value, path)
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

local function token(value, path)
  if type(value) == "table" then return list_of(integer, 1)(value, path) end
  if type(value) == "number" then return integer(value) end
  return text(value)
end

local EMBEDDING = {
  field("model", full_text),
  field("input", either(text, list_of(token, 1), "text or a list"), "is missing"),
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
-- The options of one call

local OPTIONS = {
  headers = checks.header_fields, org_id = header_text, api_key = checks.key, provider_key = checks.secret,
  timeout = duration, connect_timeout = duration, event_timeout = duration, total_timeout = duration,
  max_retries = count, max_retry_delay = duration, retry_timeouts = boolean, extra_body = object,
}

-- ---------------------------------------------------------------------------------------------------------

local function invalid(path, message)
  local said = path == "" and message or path .. ": " .. message
  return errors.new({ kind = "validation", message = said, field = path ~= "" and path or nil })
end

-- The error of a request's field that is wrong.
M.invalid = invalid

local function copy(t)
  local new = {}
  for name, value in pairs(t) do new[name] = value end
  return new
end

-- A clock of no length is misuse, as it is in llm.new: it raises. So do fewer retries than none.
local function check_number(name, check, value, level)
  if type(value) ~= "number" or (check ~= duration and not (check == count and value < 0)) then return end
  local message = check(value)
  if message then error(name .. ": " .. message, level + 1) end
end

-- A client's option in a request would not do what it says, and would go to the gateway, a proxy's password too.
local function misplaced(request)
  for name in pairs(request) do
    if options.knows(name) and not OPTIONS[name] and name ~= "app_id" then
      return invalid(name, "is an option of the client, not of one call: use client:with{...}")
    end
  end
end

-- The call's own options in a request, checked; or nil, err. Durations of 0 and below, and fewer retries than none,
-- raise at `level` above the caller.
function M.options(request, level)
  if type(request) ~= "table" then return nil, invalid("", "a request is a table, got " .. shown(request)) end
  local own, err = {}, misplaced(request)
  if err then return nil, err end
  for name, check in pairs(OPTIONS) do
    local value = request[name]
    if value ~= nil then
      check_number(name, check, value, (level or 1) + 1)
      local message, where = check(value, name)
      if message then return nil, invalid(where or name, message) end
      own[name] = value
    end
  end
  return own
end

local function check_model(model, value, defaults)
  local new = copy(value)
  if new.model == nil then new.model = defaults end
  local message, path = fields_of(model)(new, "")
  if message then return nil, invalid(path or "", message) end
  return new
end

-- The body to send: without the call's own options, with extra_body on top.
local function body_of(model, default_model)
  return function(request)
    if type(request) ~= "table" then return nil, invalid("", "a request is a table, got " .. shown(request)) end
    local body, err = check_model(model, request, default_model)
    if not body then return nil, err end
    for name in pairs(OPTIONS) do body[name] = nil end
    for name, value in pairs(request.extra_body or {}) do body[name] = value end
    return body
  end
end

local DEFAULT_CHAT_MODEL, DEFAULT_EMBEDDING_MODEL = "gpt-4", "text-embedding-ada-002"

-- A chat request or an embeddings request as the body to send; or nil, err. The caller's table stays as it is.
M.chat = body_of(CHAT, DEFAULT_CHAT_MODEL)
M.embeddings = body_of(EMBEDDING, DEFAULT_EMBEDDING_MODEL)

-- The same of the Responses dialect and of the Messages dialect, which have no default model.
M.responses = body_of(RESPONSES)
M.messages = body_of(MESSAGES)

-- JSON text of a body; or nil, err.
function M.encode(body)
  local encoded, message, path = json.encode(body)
  if encoded then return encoded end
  return nil, invalid(path or "", message)
end

local function constructor(name, model, default_model)
  return function(value)
    if type(value) ~= "table" then error(("%s: expected a table, got %s"):format(name, type(value)), 2) end
    return check_model(model, value, default_model)
  end
end

-- Each returns a checked copy of a table (with the model's default), or nil, err.
M.ChatMessage = constructor("ChatMessage", MESSAGE)
M.ChatCompletionRequest = constructor("ChatCompletionRequest", CHAT, DEFAULT_CHAT_MODEL)
M.EmbeddingRequest = constructor("EmbeddingRequest", EMBEDDING, DEFAULT_EMBEDDING_MODEL)

return M
