-- gateways/databricks.lua: Databricks' serving endpoints and AI gateway; data. {error_code, message}; a guardrail's
-- refusal may be JSON in the message.

return {
  name = "databricks",
  auth = "bearer",
  api_path = "/serving-endpoints",
  codes = {
    policy_denied = { "input_guardrail_triggered", "output_guardrail_triggered" },
    rate_limit = { "request_limit_exceeded", "resource_exhausted", "rate_limit_exceeded" },
    not_found = { "endpoint_not_found", "resource_does_not_exist" },
    vague = { "bad_request", "invalid_parameter_value" },
  },
  words = {
    policy_denied = {
      "blocked by input guardrail", "blocked by output guardrail", "invalid keywords detected",
      "violated safety guardrail",
    },
  },
  said = { "input guardrail '{policy_name}'", "output guardrail '{policy_name}'" },
}
