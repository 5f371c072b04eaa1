-- gateways/azure.lua: Azure OpenAI and Azure API Management in front of it; data.
-- Its own filter says which category in innererror.content_filter_result; a quota of API Management is a 403.

return {
  name = "azure",
  auth = { { header = "api-key" }, "bearer" },
  api_path = "/openai/v1",
  request_ids = { "apim-request-id", "x-ms-request-id", "x-ms-client-request-id" },
  reasoning = "reasoning_effort",
  codes = {
    policy_denied = { "content_filter", "responsible_aipolicy_violation", "responsible_ai_policy_violation" },
    not_found = { "deployment_not_found" },
    rate_limit = { "too_many_requests" },
  },
  words = {
    policy_denied = { "content management policy" },
    budget_exceeded = {
      "token quota is exceeded", "out of call volume quota", "out of bandwidth quota", "quota will be replenished",
    },
    rate_limit = {
      "token limit is exceeded", "rate limit is exceeded", "exceeded token rate limit", "exceeded call rate limit",
    },
  },
  headers = { retry_after_ms = { "x-ms-retry-after-ms" }, model = { "x-ms-deployment-name" } },
}
