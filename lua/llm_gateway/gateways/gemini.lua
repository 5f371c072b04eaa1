-- gateways/gemini.lua: Google's Gemini and Vertex AI; data. {error = {code, message, status, details}}, also as a list
-- of one. Its 429 speaks of a "current quota" where a rate is meant.

return {
  name = "gemini",
  auth = { "bearer", { header = "x-goog-api-key" } },
  api_path = "/v1beta/openai",
  reasoning = "reasoning_effort",
  codes = {
    policy_denied = { "prohibited_content", "blocked_reason_*" },
    budget_exceeded = { "insufficient_*_credits_balance", "billing_disabled", "quota_billing*" },
    authentication = {
      "api_key_invalid", "api_key_service_blocked", "access_token_expired", "consumer_suspended", "service_disabled",
      "unauthenticated", "permission_denied", "credentials_missing",
    },
    rate_limit = { "resource_exhausted", "rate_limit_exceeded" },
    timeout = { "deadline_exceeded" },
    not_found = { "not_found" },
    vague = { "invalid_argument", "failed_precondition" },
  },
  words = {
    rate_limit = { "quota exceeded for metric" },
    too_large = { "input token count ... exceeds the maximum" },
  },
  said = {
    "input token count ({size}) exceeds the maximum number of tokens allowed ({limit}",
    "exceeds the maximum number of tokens allowed ({limit}", "input token count ({current}",
    "input token count is {current}",
  },
}
