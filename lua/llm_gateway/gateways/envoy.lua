-- gateways/envoy.lua: Envoy AI Gateway; data. {type = "error", error = {type, code, message}}, or Envoy's plain text.

return {
  name = "envoy",
  auth = "bearer",
  api_path = "/v1",
  request_ids = { "x-request-id" },
  codes = { rate_limit = { "ratelimit_exceeded" } },
  words = {
    rate_limit = { "local_rate_limited" },
    policy_denied = { "rbac: access denied" },
  },
  headers = {
    retry_after = { "x-envoy-ratelimit-reset" },
    attempts = { "x-envoy-attempt-count" },
    rate_limited = { "x-envoy-ratelimited" },
  },
}
