-- gateways/bifrost.lua: Bifrost, with its governance plugin; data.
-- {type, status_code, error = {message}}.

return {
  name = "bifrost",
  auth = { "bearer", { header = "x-bf-vk" } },
  api_path = "/v1",
  health_path = "/health",
  request_ids = { "x-bf-request-id" },
  codes = {
    policy_denied = { "model_blocked", "provider_blocked", "virtual_key_blocked", "mcp_tool_blocked" },
    budget_exceeded = { "budget_exceeded" },
    rate_limit = { "rate_limited", "token_limited", "request_limited" },
    authentication = { "virtual_key_not_found", "virtual_key_required" },
  },
  said = {
    "budget exceeded: {current} >= {limit}", "limit exceeded: token limit ({current}/{limit}",
    "request limit ({current}/{limit}", "resets every {budget_type})",
  },
  fields = { provider = { "provider" }, request_id = { "event_id" } },
}
