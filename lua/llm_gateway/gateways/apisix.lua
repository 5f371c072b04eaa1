-- gateways/apisix.lua: Apache APISIX with its AI plugins; data.
-- {error_msg} of its limits (503 unless it is told otherwise), {message} of its guards.

return {
  name = "apisix",
  auth = { { header = "apikey" }, "bearer" },
  api_path = "/v1",
  request_ids = { "x-request-id" },
  words = {
    policy_denied = {
      "request contains prohibited content", "request doesn't match allow patterns",
      "request exceeds the content moderation threshold", "content moderation",
      "request body exceeds toxicity threshold", "toxicity threshold", "content exceeds ... threshold",
    },
    rate_limit = { "rate limit exceeded", "requests have been rejected", "rate limiting" },
    authentication = { "missing api key in request", "missing api key found in request" },
  },
  refusal_in_200 = { { field = "risk_level", value = "high", kind = "policy_denied" } },
}
