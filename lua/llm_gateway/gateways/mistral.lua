-- gateways/mistral.lua: Mistral; data. {object = "error", message, type, code}; message may be {detail = [{loc, msg}]}.

return {
  name = "mistral",
  auth = "bearer",
  api_path = "/v1",
  request_ids = { "mistral-correlation-id" },
  codes = {
    rate_limit = { "1300", "service_tier_capacity_exceeded" },
    too_large = { "3051" },
    vague = { "invalid_request_error", "invalid_request_prompt" },
  },
  words = { rate_limit = { "requests rate limit exceeded", "service tier capacity exceeded" } },
}
