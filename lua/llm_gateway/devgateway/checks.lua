-- devgateway/checks.lua: whether a request's body is one that the API accepts.
-- Leans on nothing. A fault comes back as a refusal naming the field; never repairs a body.

local ROLES = {
  system = true, developer = true, user = true, assistant = true, ["function"] = true, tool = true,
}

local function refuse(location, message, kind)
  local path = ""
  for _, step in ipairs(location) do
    path = type(step) == "number" and path .. "[" .. ("%d"):format(step) .. "]"
      or path .. (path == "" and "" or ".") .. step
  end
  table.insert(location, 1, "body")
  return { kind = "validation", status = 422, code = "VALIDATION_ERROR", location = location, field = path,
    message = path .. ": " .. message, type = kind or "value_error" }
end

local function number_between(low, high)
  return function(value)
    if type(value) ~= "number" or value < low or value > high then
      return ("Input should be between %g and %g"):format(low, high)
    end
  end
end

local function positive_integer(value)
  if type(value) == "number" and value >= 1 and value % 1 == 0 then return nil end
  return "Input should be a positive integer"
end

local function of_type(name)
  return function(value)
    if type(value) ~= name then return "Input should be a " .. name end
  end
end

local CHAT_FIELDS = {
  { "model", of_type("string") }, { "temperature", number_between(0, 2) }, { "top_p", number_between(0, 1) },
  { "frequency_penalty", number_between(-2, 2) }, { "presence_penalty", number_between(-2, 2) },
  { "max_tokens", positive_integer }, { "max_completion_tokens", positive_integer },
  { "n", number_between(1, 16) }, { "stream", of_type("boolean") }, { "tools", of_type("table") },
}

local EMBEDDING_FIELDS = { { "model", of_type("string") }, { "dimensions", number_between(1, 8192) } }

local function check_fields(body, fields)
  for _, field in ipairs(fields) do
    local value = body[field[1]]
    local message = value ~= nil and field[2](value)
    if message then return refuse({ field[1] }, message) end
  end
  if body.model == nil then return refuse({ "model" }, "Field required", "missing") end
end

-- Positions are counted from zero in `loc`, as the servers that this one speaks like do.
local function check_messages(messages)
  if messages == nil then return refuse({ "messages" }, "Field required", "missing") end
  if type(messages) ~= "table" or #messages == 0 then
    return refuse({ "messages" }, "List should have at least 1 item", "too_short")
  end
  for index, message in ipairs(messages) do
    if type(message) ~= "table" then
      return refuse({ "messages", index - 1 }, "Input should be an object")
    end
    if not ROLES[message.role or ""] then
      return refuse({ "messages", index - 1, "role" }, "Input should be a known role")
    end
  end
end

local function check_input(input)
  if input == nil then return refuse({ "input" }, "Field required", "missing") end
  if type(input) ~= "string" and (type(input) ~= "table" or #input == 0) then
    return refuse({ "input" }, "Input should be a text or a list that is not empty")
  end
end

local M = {}

-- nil, or the refusal of a chat completion's body.
function M.chat(body)
  return check_fields(body, CHAT_FIELDS) or check_messages(body.messages)
end

-- nil, or the refusal of an embeddings body.
function M.embeddings(body)
  local formats = { float = true, base64 = true }
  if body.encoding_format ~= nil and not formats[body.encoding_format] then
    return refuse({ "encoding_format" }, "Input should be 'float' or 'base64'")
  end
  return check_fields(body, EMBEDDING_FIELDS) or check_input(body.input)
end

return M
