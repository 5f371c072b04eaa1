-- gateways/anthropic.lua: Anthropic; data. {type = "error", error = {type, message}, request_id}. An account without
-- money, and one at its own cap, is a 400 with words.

return {
  name = "anthropic",
  auth = "x-api-key",
  api_path = "/v1",
  request_ids = { "request-id" },
  reasoning = "thinking",
  codes = {
    budget_exceeded = { "billing_error" },
    too_large = { "request_too_large" },
    authentication = { "authentication_error", "permission_error" },
    rate_limit = { "rate_limit_error" },
    not_found = { "not_found_error" },
    timeout = { "timeout_error" },
    vague = { "invalid_request_error" },
  },
  words = {
    policy_denied = { "output blocked by content filtering policy" },
    budget_exceeded = { "credit balance is too low", "reached your specified api usage limits" },
    too_large = { "prompt is too long", "exceed context limit" },
  },
  said = { "prompt is too long: {current} tokens > {limit} maximum", "{current} + {size} > {limit}" },
}
