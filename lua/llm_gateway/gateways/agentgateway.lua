-- gateways/agentgateway.lua: agentgateway; data. Plain text of its own, a guard's answer as it was configured.

return {
  name = "agentgateway",
  auth = "bearer",
  api_path = "/v1",
  words = {
    policy_denied = {
      "rejected due to inappropriate content", "the request was rejected", "request was rejected due to",
      "authorization failed",
    },
    budget_exceeded = { "budget exceeded", "spend budget" },
    rate_limit = { "rate limit exceeded" },
    authentication = { "authentication failure", "api key authentication failure" },
  },
}
