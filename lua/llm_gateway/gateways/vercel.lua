-- gateways/vercel.lua: Vercel's AI Gateway; data.
-- {error = {message, type, param, code}, generationId, providerMetadata}.

return {
  name = "vercel",
  auth = "bearer",
  api_path = "/v1",
  request_ids = { "x-vercel-id" },
  codes = {
    policy_denied = { "blocked_by_rule", "rule_violation" },
    budget_exceeded = { "insufficient_funds", "quota_exceeded", "customer_verification_required" },
    rate_limit = { "rate_limit_exceeded" },
    not_found = { "model_not_found" },
  },
  words = { policy_denied = { "blocked by rule" } },
  fields = { policy_name = { "ruleId" }, request_id = { "generationId" } },
}
