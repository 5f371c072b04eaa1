-- gateways/volcengine.lua: Volcengine's Ark; data. {error = {code, message, param, type}}.

return {
  name = "volcengine",
  auth = "bearer",
  api_path = "/api/v3",
  reasoning = "thinking_type",
  codes = {
    policy_denied = {
      "sensitive_content_detected*", "input_text_sensitive_content_detected", "*risk_detection*",
      "*sensitive_content_detected*",
    },
    budget_exceeded = {
      "account_overdue_error", "quota_exceeded", "set_limit_exceeded", "inference_service_connection_quota*",
    },
    rate_limit = {
      "account_rate_limit_exceeded", "model_account_*_rate_limit_exceeded", "server_overloaded",
      "request_burst_too_fast",
    },
    authentication = { "authentication_error", "access_denied", "invalid_account_status", "operation_denied*" },
    not_found = { "invalid_endpoint_or_model_not_found", "model_not_open" },
  },
  words = { budget_exceeded = { "overdue balance" } },
}
