-- gateways/litellm.lua: LiteLLM's proxy (seen: 1.108); data.
-- Its `auth_error` is said of much that its door turns away, budgets too, so that words go before it. A provider's
-- failure is one text: the exception's name, the provider's name, often the provider's body as a printed dict.

return {
  name = "litellm",
  auth = "bearer",
  api_path = "/v1",
  health_path = "/health/readiness", -- /health calls every model, and is billed
  request_ids = { "x-litellm-call-id" },
  reasoning = "reasoning_effort",
  codes = {
    policy_denied = { "guardrail_violation", "content_policy_violation" },
    budget_exceeded = { "budget_exceeded" },
    authentication = {
      "key_model_access_denied", "team_model_access_denied", "user_model_access_denied", "expired_key",
      "no_db_connection", "token_not_found_in_db", "org_model_access_denied", "project_model_access_denied",
    },
    vague = { "auth_error", "throttling_error", "internal_server_error", "invalid_request_error" },
  },
  words = {
    policy_denied = {
      "contentpolicyviolationerror", "guardrail raised an exception", "content blocked: keyword",
      "violated moderation policy",
      "violated openai moderation policy", "violated content safety policy",
    },
    budget_exceeded = { "budgetexceedederror", "exceededbudget", "exceededtokenbudget", "max_budget_per_session" },
    too_large = { "contextwindowexceedederror" },
    rate_limit = { "ratelimiterror", "max parallel request limit reached", "crossed tpm" },
    authentication = { "authenticationerror" },
    not_found = { "notfounderror" },
    timeout = { "litellm.timeout" },
    server = { "got unexpected response from ollama" }, -- said with a 400 of what broke in Ollama's stream
  },
  said = {
    "spend={current}, budget={limit}", "spend={current}, limit={limit}",
    "current cost: {current}, max budget: {limit}",
    "current spend: {current}, max_budget_per_session: {limit}", "current spend: {current}, max budget: {limit}",
    "current spend for token: {current}; max budget for token: {limit}", "guardrail: {policy_name}, message",
  },
  headers = {
    retry_after = { "llm_provider-retry-after" },
    retry_after_ms = { "llm_provider-retry-after-ms" },
    cost = {
      "x-litellm-response-cost" }, cache = { "x-litellm-cache-hit" }, provider = { "x-litellm-model-provider",
    },
    model = {
      "x-litellm-model", "x-litellm-model-name",
      "x-litellm-model-group" }, attempts = { "x-litellm-attempted-retries",
    },
    limit = { "x-litellm-key-max-budget" }, current = { "x-litellm-key-spend" },
  },
}
