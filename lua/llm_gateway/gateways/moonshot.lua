-- gateways/moonshot.lua: Moonshot (Kimi); data. {error = {type, message}}.

return {
  name = "moonshot",
  auth = "bearer",
  api_path = "/v1",
  request_ids = { "msh-request-id" },
  codes = {
    policy_denied = { "content_filter" },
    budget_exceeded = { "exceeded_current_quota_error" },
    rate_limit = { "rate_limit_reached_error", "engine_overloaded_error" },
    authentication = { "invalid_authentication_error", "incorrect_api_key_error", "permission_denied_error" },
    not_found = { "resource_not_found_error" },
  },
  words = {
    policy_denied = { "content filter", "considered high risk" },
    budget_exceeded = { "suspended, please check your plan and billing", "account ... is suspended" },
    too_large = { "input token length too long", "exceeded model token limit" },
  },
  said = { "exceeded model token limit: {limit}", "requested: {current})" },
}
