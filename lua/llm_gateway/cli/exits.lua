-- cli/exits.lua: how the program ends: a number for each kind of error, and what a person can do about it.

local M = {}

M.OK, M.FAILED, M.USAGE, M.INTERRUPTED = 0, 1, 2, 130

M.BY_KIND = {
  authentication = 3, rate_limit = 4, validation = 5, not_found = 6, policy_denied = 7, budget_exceeded = 8,
  server = 9, timeout = 10, connection = 11, stream = 12, cancelled = M.INTERRUPTED,
}

local ADVICE = {
  authentication = "set LLM_GATEWAY_API_KEY, or name a file with the key: --key-file FILE",
  not_found = "see the models with: llm-gateway models; see what the gateway offers with: llm-gateway doctor URL",
  connection = "set LLM_GATEWAY_BASE_URL or --url; llm-gateway doctor URL says what is there",
  timeout = "give it longer: --timeout SECONDS",
  stream = "what came before is above; ask again",
}

local function seconds(n)
  return n % 1 == 0 and ("%d s"):format(n) or ("%.1f s"):format(n)
end

local function advice(err)
  if err.retry_after then return "try again in " .. seconds(err.retry_after) end
  if err.kind == "policy_denied" then return err.policy_name and "the policy is " .. err.policy_name or nil end
  if err.kind == "budget_exceeded" and err.limit then
    return ("%s of %s are spent"):format(err.current or "?", err.limit)
  end
  return ADVICE[err.kind]
end

-- Tells of an error on stderr, with what to do. Returns the exit status for it.
function M.report(err)
  if type(err) == "table" and err.kind == "task" then err = err.message end
  if type(err) ~= "table" or not err.kind then
    io.stderr:write("llm-gateway: ", tostring(err), "\n")
    return M.FAILED
  end
  local what = advice(err)
  io.stderr:write("llm-gateway: ", tostring(err), what and ("\n  " .. what) or "", "\n")
  return M.BY_KIND[err.kind] or M.FAILED
end

-- The same for what the command line itself has wrong.
function M.usage(message)
  io.stderr:write("llm-gateway: ", message, "\n")
  return M.USAGE
end

return M
