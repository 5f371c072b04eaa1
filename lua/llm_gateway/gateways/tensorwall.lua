-- gateways/tensorwall.lua: TensorWall: policies, budgets and features checked before each call; data.
-- Denials are {detail = {error, outcome, reason, ...}}, also as a 200 with a status_code of its own.

return {
  name = "tensorwall",
  auth = { "x-api-key", "bearer" },
  api_path = "/v1",
  health_path = "/health",
  identity = {
    app = "X-App-ID", org = { "X-Org-ID", "X-Organization-Id" }, feature = "X-Feature-Id", dry_run = "X-Dry-Run",
  },
  request_ids = { "x-request-id" },
  codes = {
    policy_denied = { "request_denied", "policy_denied", "feature_not_allowed", "security_blocked" },
    budget_exceeded = { "budget_exceeded", "budget_would_exceed", "plan_limit_exceeded" },
  },
  fields = { policy_name = { "policies_blocking" } },
}
