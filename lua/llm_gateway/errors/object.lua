-- errors/object.lua: the error table: makes one, knows one, raises one, prints one.
-- Leans on scalars.lua. Never reads an answer.

local lazy = require("llm_gateway.lazy")

local scalars = lazy("llm_gateway.scalars")

local M = {}

local Error = {}
local finals = setmetatable({}, { __mode = "k" }) -- by error; see is_final
local unread = setmetatable({}, { __mode = "k" }) -- by error; see is_unread

-- A page's title may repeat the status: it is not said twice.
local function words_of(err)
  local status = err.status and ("%d"):format(err.status)
  local rest = status and err.message:sub(1, #status) == status and err.message:match("^[%s:]+(.*)$", #status + 1)
  return rest and rest ~= "" and rest or err.message
end

-- `[429] Rate limit exceeded`; `[connection] ...` without a status, or where the status says that all is well.
function Error.__tostring(err)
  local status = err.status
  local said = status and (status < 200 or status > 299)
  return ("[%s] %s"):format(said and ("%d"):format(status) or err.kind, words_of(err))
end

-- Lets ("could not chat: " .. err) work.
function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

-- Whether a value is one of this library's errors.
function M.is(value)
  return type(value) == "table" and getmetatable(value) == Error
end

-- assert for every Lua (5.1's refuses a table): its arguments when the first is true, else raises the second.
function M.assert(value, ...)
  if value then return value, ... end
  local err = ...
  if err == nil then err = "assertion failed!" end
  error(err, 0)
end

local LONGEST_PARTIAL = 2 ^ 20 -- bytes; cut only here, where no secret is left that could be cut in two
local RETRYABLE_STATUSES = { [408] = true, [409] = true, [429] = true } -- and those of 500 and above
local NEVER_REPEATED = { policy_denied = true, budget_exceeded = true, stream = true }

-- Whether a status says that a repeat may fare better.
function M.is_retryable_status(status)
  return RETRYABLE_STATUSES[status] == true or (status >= 500 and status <= 599)
end

-- What the server says of a repeat: true or false; nil where it does not tell.
local function advice(headers)
  local said = headers and (headers["x-should-retry"] or ""):lower()
  if said == "true" or said == "false" then return said == "true" end
  return nil
end

-- Whether a repeat makes sense of an error that a repeat is not ruled out for.
local function may_fare_better(fields)
  if fields.kind == "authentication" then return false end
  if fields.kind == "rate_limit" or fields.transient or fields.unread then return true end
  local status = fields.status
  if not status or (fields.kind == "validation" and status >= 500) then return false end
  return M.is_retryable_status(status)
end

local function is_retryable(fields)
  if fields.started or fields.too_large then return false end
  local advised = advice(fields.headers)
  local in_flight = fields.kind == "budget_exceeded" and fields.in_flight
  if in_flight then return advised ~= false and (fields.retry_after or 0) > 0 end
  if NEVER_REPEATED[fields.kind] then return false end
  if advised ~= nil then return advised end
  return may_fare_better(fields)
end

-- An error table. fields.kind and fields.message are needed. These only tell whether it is retryable: `started` (an
-- event was handed over already), `transient` (the request went to nobody, and the next attempt may have more luck),
-- `unread` (see is_unread), `in_flight` (a budget that other calls hold at the moment), `too_large`.
function M.new(fields)
  if fields.partial then fields.partial = scalars.beginning(fields.partial, LONGEST_PARTIAL) end
  if fields.retryable == nil then fields.retryable = is_retryable(fields) end
  unread[fields] = fields.unread or nil
  fields.started, fields.transient, fields.unread, fields.in_flight, fields.too_large = nil, nil, nil, nil, nil
  return setmetatable(fields, Error)
end

-- The `validation` error of what is at this path ("messages[2].role"; "" for the whole); code: text, or nil.
function M.invalid(path, message, code)
  local said = path == "" and message or path .. ": " .. message
  return M.new({ kind = "validation", code = code, message = said, field = path ~= "" and path or nil })
end

-- Whether the request was sent and most likely not read: the next attempt is made at once, on a new connection.
function M.is_unread(err)
  return unread[err] == true
end

-- Marks an error as one that would be the same each time. Returns it.
function M.finally(err)
  finals[err] = true
  return err
end

-- Whether a failure would be the same each time: a certificate that was refused, an address that is none.
function M.is_final(err)
  return finals[err] == true
end

return M
