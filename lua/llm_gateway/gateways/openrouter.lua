-- gateways/openrouter.lua: OpenRouter; data.
-- {error = {code = status, message, metadata}}: metadata.raw is the provider's own body, as text.

return {
  name = "openrouter",
  auth = "bearer",
  api_path = "/api/v1",
  identity = { app = "X-Title" },
  request_ids = { "x-generation-id" },
  reasoning = "reasoning",
  codes = {
    in_flight = { "openrouter_in_flight_budget", "in_flight_budget_exhausted" },
    budget_exceeded = {
      "openrouter_guardrail_budget", "openrouter_key_limit", "openrouter_credits", "openrouter_workspace_budget",
      "openrouter_account_balance", "openrouter_*_budget",
    },
    too_large = { "max_tokens_exceeded" },
  },
  words = {
    budget_exceeded = { "insufficient credits", "key limit exceeded", "requires more credits", "can only afford" },
    policy_denied = { "request blocked: prompt injection", "requires moderation", "data policy" },
  },
  said_nothing = { "provider returned error" },
  fields = {
    limit = { "limit_usd" },
    current = { "spend_usd" },
    provider = { "provider_name", "provider" },
    cost = { "cost" },
  },
}
