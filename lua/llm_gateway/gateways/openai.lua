-- gateways/openai.lua: OpenAI; data. {error = {message, type, param, code}}.

return {
  name = "openai",
  auth = "bearer",
  api_path = "/v1",
  identity = { org = "OpenAI-Organization" },
  request_ids = { "x-request-id" },
  reasoning = "reasoning_effort",
  codes = {
    policy_denied = { "content_policy_violation", "invalid_prompt", "moderation_blocked", "cyber_policy" },
    budget_exceeded = { "insufficient_quota", "billing_hard_limit_reached", "billing_not_active" },
    too_large = { "context_length_exceeded", "string_above_max_length" },
    authentication = { "invalid_api_key", "invalid_organization", "mismatched_organization", "account_deactivated" },
    not_found = { "model_not_found" },
    vague = { "invalid_request_error", "tokens", "requests" },
  },
  said = { "limit {limit}, used {current}, requested", "limit {limit}, requested {current}" },
  headers = { model = { "openai-model" } },
}
