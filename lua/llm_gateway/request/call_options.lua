-- request/call_options.lua: the options of one call, which stand in a request beside what goes to the gateway.
-- Leans on the validators of schema/ and on options.lua for what only a client may be told.

local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")
local options = require("llm_gateway.options")

local M = {}

local duration, count = checks.duration, checks.count

local CHECKS = {
  headers = checks.header_fields, org_id = checks.header_text, api_key = checks.key, provider_key = checks.secret,
  timeout = duration, connect_timeout = duration, event_timeout = duration, total_timeout = duration,
  max_retries = count, max_retry_delay = duration, retry_timeouts = checks.boolean, extra_body = checks.object,
}

-- What a call may have and no body gets: the checks by name.
M.checks = CHECKS

-- A clock of no length is misuse, as it is in llm.new: it raises. So do fewer retries than none.
local function check_number(name, check, value, level)
  if type(value) ~= "number" or (check ~= duration and not (check == count and value < 0)) then return end
  local message = check(value)
  if message then error(name .. ": " .. message, level + 1) end
end

-- A client's option in a request would not do what it says, and would go to the gateway, a proxy's password too.
local MISPLACED = {}
for name in pairs(options.checks) do MISPLACED[name] = name ~= "app_id" and not CHECKS[name] end

local function read_one(own, name, value, level)
  local check = CHECKS[name]
  if not check then
    return errors.invalid(name, "is an option of the client, not of one call: use client:with{...}")
  end
  check_number(name, check, value, level + 1)
  local message, where = check(value)
  if message then return errors.invalid(name .. (where or ""), message) end
  own[name] = value
end

-- The call's own options in a request, checked; or nil, err. Durations of 0 and below, and fewer retries than none,
-- raise at `level` above the caller.
function M.read(request, level)
  if type(request) ~= "table" then
    return nil, errors.invalid("", "a request is a table, got " .. checks.shown(request))
  end
  local own = {}
  for name, value in next, request do
    local err = (CHECKS[name] or MISPLACED[name]) and read_one(own, name, value, (level or 1) + 1)
    if err then return nil, err end
  end
  return own
end

return M
