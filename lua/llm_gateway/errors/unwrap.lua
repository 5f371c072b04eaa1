-- errors/unwrap.lua: finds, in the body of a refusal, the table or text that tells about it.
-- Leans on nothing; reads decoded JSON. Gateways wrap their errors in many ways; see M.body, and M.is_error for whether
-- a body is one.

local M = {}

local WORDS = { "message", "reason", "msg", "error_message", "error_msg", "Message", "error_description" }
local MESSAGE_FIELDS = {
  "message", "reason", "msg", "error_message", "error_msg", "Message", "detail", "error_description", "title",
}
local CODE_FIELDS = { "code", "error_code", "error", "internalCode", "error_type" }
local NESTED_MESSAGE_FIELDS = { "error", "message", "actionReason" }

-- A text that says something: some gateways write their nulls out.
function M.text(value)
  if type(value) ~= "string" then return nil end
  if value == "" or value == "None" or value == "null" then return nil end
  return value
end

local function nested_message(value)
  for _, name in ipairs(NESTED_MESSAGE_FIELDS) do
    if M.text(value[name]) then return value[name] end
  end
  return M.text(value[1])
end

-- The message in a table that tells about an error, in one of these fields.
function M.message(inner, names)
  for _, name in ipairs(names or MESSAGE_FIELDS) do
    local value = inner[name]
    local found = type(value) == "table" and nested_message(value) or M.text(value)
    if found then return found end
  end
  return nil
end

local function first_of(list)
  local first = list[1]
  if type(first) == "table" then return first end
  if M.text(first) then return { message = first } end
end

local function with_message(body, message)
  local copy = {}
  for key, value in pairs(body) do copy[key] = value end
  copy.message = message
  return copy
end

-- `error` may be a table, a list of them, true, or a text: a code when a message stands beside it, else the message
-- (it stays where it is, for classify to see whether it is a code as well).
local function of_error(body)
  local inner = body.error
  if type(inner) == "table" then
    if inner[1] ~= nil then return first_of(inner) or body end
    if next(inner) == nil then return body end
    local wraps = inner.error ~= nil and inner.message == nil and inner.reason == nil
    return wraps and of_error(inner) or inner
  end
  if M.text(inner) and not M.message(body, WORDS) then return with_message(body, inner) end
  return body
end

local function of_detail(body)
  local detail = body.detail
  if type(detail) == "table" then
    if detail[1] ~= nil then return first_of(detail) or body end
    return of_error(detail)
  end
  return body
end

-- A numeric code that stands for the status (in a 200, or inside a stream).
function M.status(inner)
  for _, name in ipairs({ "status_code", "status", "code", "error" }) do
    local n = tonumber(inner[name])
    if n and n >= 400 and n <= 599 and n % 1 == 0 then return n end
  end
end

-- The table that tells what was wrong, out of a decoded body: {detail = table | text | list}, {error = table | text
-- | true | list}, {errors = {first}}, or the body itself. Second: the status that the body gives itself, if any.
function M.body(body)
  if type(body) == "string" then return { message = body } end
  if type(body) ~= "table" then return {} end
  if body[1] ~= nil then return M.body(body[1]) end
  local status = body.detail ~= nil and M.status({ status_code = body.status_code }) or nil
  if type(body.detail) == "table" and next(body.detail) ~= nil then return of_detail(body), status end
  if M.text(body.detail) and type(body.error) ~= "table" then return body, status end
  if body.error ~= nil and body.error ~= false then return of_error(body), status end
  if type(body.errors) == "table" and body.errors[1] ~= nil then return first_of(body.errors) or body, status end
  return body, status
end

local function as_text(value)
  if math.type and math.type(value) == "integer" then return ("%d"):format(value) end
  if type(value) == "number" then return (value % 1 == 0 and "%.0f" or "%.14g"):format(value) end
  return M.text(value)
end

local function is_identifier(text)
  return text ~= nil and text ~= "error" and text:find("^[%w_.-]+$") ~= nil
end

-- The code as text, or nil. One that only repeats a status (a set of them) gives way to `type`; an `error` that is the
-- message is no code.
function M.code(inner, statuses, message)
  for _, name in ipairs(CODE_FIELDS) do
    local code = as_text(inner[name])
    if code and (name ~= "error" or code ~= message) and not statuses[tonumber(code) or false] then return code end
  end
  local kind = M.text(inner.type)
  return is_identifier(kind) and kind or nil
end

local function is_alone(value)
  return next(value, next(value)) == nil
end

-- `error` says something, or is all there is. Some gateways write an empty one beside their results.
local function has_error(value)
  local err = value.error
  if err == nil or err == false then return false end
  if err == "" or (type(err) == "table" and next(err) == nil) then return is_alone(value) end
  return true
end

local function has_errors(value)
  return type(value.errors) == "table" and value.errors[1] ~= nil and (value.success == false or is_alone(value))
end

-- Whether a decoded body of a 2xx answer is an error: one that has an `error`, or nothing but `errors`, or calls itself
-- one, or has a status beside a detail; and the list of nothing but an `error`.
function M.is_error(value)
  if type(value) ~= "table" then return false end
  local first = value[1]
  if first ~= nil then
    return value[2] == nil and type(first) == "table" and first.error ~= nil and is_alone(first)
      and M.is_error(first)
  end
  local status = tonumber(value.status_code)
  if status and status >= 400 and value.detail ~= nil then return true end
  return value.object == "error" or has_error(value) or has_errors(value)
end

return M
