-- gateways/higress.lua: Higress with its AI plugins; data. Plain text, or {code = "ai-gateway.noquota", message}.

return {
  name = "higress",
  auth = "bearer",
  api_path = "/v1",
  codes = {
    policy_denied = { "ai_security_guard*" },
    budget_exceeded = { "ai_gateway_noquota", "ai_quota_*" },
  },
  words = {
    budget_exceeded = { { "request denied by ai quota check", except = { "unauthorized consumer" } } },
    authentication = {
      "request denied by key auth check", "request denied by jwt auth check",
      "request denied by ai quota check. unauthorized consumer",
    },
  },
  said = { "required: {current}, remaining: {remaining}" },
  headers = { cache = { "x-cache-status" } },
  refusal_in_200 = { { field = "model", value = "from-security-guard", kind = "policy_denied" } },
}
