-- request.lua: what may be sent: the models of the API as tables of checks, and the options of one call.
-- Leans on errors.lua for what it complains with, on headers.lua and json.lua. Nothing here sends anything.
--
-- A check is a function of a value and its path; it returns nil, or a message and the path of what is wrong.

local errors = require("llm_gateway.errors")
local headers = require("llm_gateway.headers")
local json = require("llm_gateway.json")

local M = {}

local null = json.null
local EXACT = 2 ^ 53
local LONGEST_SHOWN = 40

-- ---------------------------------------------------------------------------------------------------------
-- Checkers

local function shown(value)
  if type(value) == "string" then
    local cut = #value > LONGEST_SHOWN and value:sub(1, LONGEST_SHOWN) .. "..." or value
    return '"' .. cut:gsub("%c", "?") .. '"'
  end
  if type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  return value == nil and "nothing" or value == null and "null" or "a " .. type(value)
end

local function expected(what, value)
  return ("expected %s, got %s"):format(what, shown(value))
end

local function text(value)
  if type(value) ~= "string" then return expected("text", value) end
end

local function full_text(value)
  if type(value) ~= "string" then return expected("text", value) end
  if value == "" then return "may not be empty" end
end

-- Text that goes into a header as well.
local function header_text(value)
  return full_text(value) or headers.value_fault(value)
end

local function boolean(value)
  if type(value) ~= "boolean" then return expected("true or false", value) end
end

local function object(value)
  if type(value) ~= "table" then return expected("a table", value) end
end

local function between(low, high)
  local what = ("a number from %g to %g"):format(low, high)
  return function(value)
    if type(value) ~= "number" or not (value >= low and value <= high) then return expected(what, value) end
  end
end

-- A float from 2^53 on may stand for a neighbour of what was meant.
local function integer(value)
  if type(value) ~= "number" or value ~= value or value % 1 ~= 0 then return expected("a whole number", value) end
  local exact = math.type and math.type(value) == "integer" or (value < EXACT and value > -EXACT)
  if not exact then
    return ("%.17g is beyond what a float holds exactly: write it as an integer (Lua 5.3 and later)"):format(value)
  end
end

local function positive(value)
  local fault = integer(value)
  if fault then return fault end
  if value <= 0 then return expected("a whole number above 0", value) end
end

local function one_of(...)
  local allowed, names = {}, table.concat({ ... }, ", ")
  for _, name in ipairs({ ... }) do allowed[name] = true end
  return function(value)
    if value == null or not allowed[value] then return expected("one of " .. names, value) end
  end
end

local function either(first, second, what)
  return function(value, path)
    if first(value, path) == nil then return nil end
    if type(value) ~= "table" then return expected(what, value) end
    return second(value, path)
  end
end

local function list_of(check, at_least)
  return function(list, path)
    if type(list) ~= "table" then return expected("a list", list) end
    if #list < at_least then return #list == 0 and next(list) == nil and "is empty: at least one is needed"
      or expected("a list", list) end
    for i = 1, #list do
      local message, where = check(list[i], ("%s[%d]"):format(path, i))
      if message then return message, where or ("%s[%d]"):format(path, i) end
    end
  end
end

local function join(path, name)
  if not tostring(name):find("^[%a_][%w_]*$") then return ("%s[%q]"):format(path, tostring(name)) end
  return path == "" and name or path .. "." .. name
end

-- The first field of a table that fails its check, in the order of the model. null stands for "not set".
local function fields_of(model)
  return function(value, path)
    if type(value) ~= "table" then return expected("a table", value) end
    for _, field in ipairs(model) do
      local item, where = value[field.name], join(path, field.name)
      if item == nil or item == null then
        if field.required then return field.required, where end
      else
        local message, inner = field.check(item, where)
        if message then return message, inner or where end
      end
    end
    if model.whole then return model.whole(value, path) end
  end
end

local function field(name, check, required)
  return { name = name, check = check, required = required }
end

-- ---------------------------------------------------------------------------------------------------------
-- The models

local part = fields_of({ field("type", full_text, "is missing: each part needs one, such as text or image_url") })

local role = one_of("system", "developer", "user", "assistant", "function", "tool")

local function whole_message(message, path)
  if message.role == "tool" and (message.tool_call_id == nil or message.tool_call_id == null) then
    return "is missing: a tool message answers one tool call", join(path, "tool_call_id")
  end
end

local MESSAGE = {
  field("role", role, "is missing: expected one of system, developer, user, assistant, function, tool"),
  field("content", either(text, list_of(part, 0), "text or a list of parts")),
  field("name", text),
  field("function_call", object),
  field("tool_calls", list_of(object, 0)),
  field("tool_call_id", text),
  whole = whole_message,
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
  field("response_format", object),
  field("seed", integer),
  field("user", text),
}

local function token(value)
  if type(value) == "table" then return list_of(integer, 1)(value, "input") end
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
  table.insert(EMBEDDING, extra)
end

-- ---------------------------------------------------------------------------------------------------------
-- The options of one call

local function duration(value)
  if value == false then return nil end
  if type(value) ~= "number" or value ~= value or value <= 0 then
    return expected("more than 0 seconds, or false for no limit", value)
  end
end

local function count(value)
  if type(value) ~= "number" or value < 0 or value % 1 ~= 0 then return expected("0 or a whole number above", value) end
end

local function key(value)
  if type(value) ~= "function" then return header_text(value) end
end

local function header_fields(value, path)
  local where, message = headers.fault(value)
  if where then return message, path .. where end
end

local OPTIONS = {
  headers = header_fields, org_id = header_text, api_key = key, provider_key = header_text,
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

-- A clock of no length is misuse, as it is in llm.new: it raises.
local function check_clock(name, check, value, level)
  if check ~= duration or type(value) ~= "number" then return end
  local message = duration(value)
  if message then error(name .. ": " .. message, level + 1) end
end

-- The call's own options in a request, checked; or nil, err. Durations of 0 and below raise at `level` above the
-- caller.
function M.options(request, level)
  if type(request) ~= "table" then return nil, invalid("", "a request is a table, got " .. shown(request)) end
  local own = {}
  for name, check in pairs(OPTIONS) do
    local value = request[name]
    if value ~= nil then
      check_clock(name, check, value, (level or 1) + 1)
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
