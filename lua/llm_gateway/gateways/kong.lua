-- gateways/kong.lua: Kong with its AI plugins; data.
-- {message} or {error = {message}}. Its token limits have one set of headers for each window and provider.

return {
  name = "kong",
  auth = { { header = "apikey" }, "bearer" },
  api_path = "/v1",
  health_path = "/status",
  request_ids = { "x-kong-request-id", "x-kong-upstream-request-id" },
  words = {
    policy_denied = {
      "prompt pattern is blocked", "bad request ... prompt pattern", "prompt doesn't match any allowed pattern",
      "request was blocked because", "ai semantic prompt guard", "prompt_guard", "blocked by ai",
    },
    rate_limit = { "api rate limit exceeded", "token rate limit exceeded" },
    authentication = { "no api key found in request" },
  },
  headers = {
    retry_after = { "x-ai-ratelimit-retry-after", "x-ai-ratelimit-retry-after-*" },
    cache = { "x-cache-status" }, model = { "x-kong-llm-model" },
  },
}
