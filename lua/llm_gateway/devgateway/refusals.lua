-- devgateway/refusals.lua: words a refusal in one of the two dialects that gateways speak.
-- "flat" puts everything beside a `detail` text; "detail" puts an object into `detail`, and answers a
-- denied stream with status 200 and the real status inside the body.
-- Leans on json. Never decides anything.

local json = require("llm_gateway.devgateway.json")

local function flat(refusal, request_id)
  return { detail = refusal.message, error_code = refusal.code, policy_name = refusal.policy_name,
    budget_type = refusal.budget_type, limit = refusal.limit, current = refusal.current,
    retry_after = refusal.retry_after, field = refusal.field, request_id = request_id }
end

local function denied(outcome, error_name, reason)
  return function(refusal, request_id)
    return { error = error_name, outcome = outcome, reason = reason(refusal), request_id = request_id }
  end
end

local function budget_reason(refusal)
  return ("Budget '%s' would exceed: remaining $%.4f, estimated $%.4f"):format(refusal.app_id,
    math.max(0, refusal.limit - refusal.current), refusal.estimated)
end

local DETAIL = {
  policy = denied("denied_policy", "request_denied", function(refusal)
    return "Rule '" .. refusal.policy_name .. "' matched"
  end),
  budget = denied("denied_budget", "budget_exceeded", budget_reason),
  validation = function(refusal)
    return json.array({ { loc = json.array(refusal.location), msg = refusal.message, type = refusal.type } })
  end,
  route = function(refusal) return refusal.message end,
}

local function detail_object(refusal, request_id)
  local make = DETAIL[refusal.kind]
  if make then return make(refusal, request_id) end
  return { error = refusal.code, message = refusal.message, retry_after = refusal.retry_after }
end

-- The real server runs into its own denial only after it has begun to answer a stream.
local HIDDEN_IN_STREAM = { policy = true, budget = true }
local DETAIL_STATUS = { budget = 429 }

local function detail(refusal, request_id, streaming)
  local status, inner = DETAIL_STATUS[refusal.kind] or refusal.status, detail_object(refusal, request_id)
  if streaming and HIDDEN_IN_STREAM[refusal.kind] then
    return 200, { status_code = status, detail = inner, headers = json.null }
  end
  return status, { detail = inner }
end

local M = {}

-- The answer to a refused request: status, body (to encode) and extra headers.
-- streaming: whether the request asked for a stream.
function M.word(refusal, dialect, request_id, streaming)
  local headers = {}
  if refusal.retry_after then headers["retry-after"] = ("%d"):format(refusal.retry_after) end
  if dialect == "detail" then
    local status, body = detail(refusal, request_id, streaming)
    return status, body, headers
  end
  return refusal.status, flat(refusal, request_id), headers
end

return M
