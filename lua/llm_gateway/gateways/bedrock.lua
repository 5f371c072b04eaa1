-- gateways/bedrock.lua: AWS Bedrock; data. {message} or {__type, message}, and the header x-amzn-errortype.

return {
  name = "bedrock",
  auth = "bearer",
  api_path = "/openai/v1",
  request_ids = { "x-amzn-requestid" },
  codes = {
    policy_denied = { "guardrail_intervened", "content_filtered" },
    budget_exceeded = { "service_quota_exceeded_exception" },
    authentication = {
      "access_denied_exception", "expired_token_exception", "unrecognized_client_exception",
      "invalid_signature_exception",
      "incomplete_signature*", "missing_authentication_token*",
    },
    rate_limit = { "throttling_exception", "too_many_requests_exception", "model_not_ready_exception" },
    timeout = { "model_timeout_exception" },
    not_found = { "resource_not_found_exception" },
    vague = { "validation_exception" },
  },
  words = {
    budget_exceeded = { "exceeds the service quota for your account" },
    too_large = { "input is too long for requested model" },
  },
  refusal_in_200 = { { field = "amazon-bedrock-guardrailAction", value = "INTERVENED", kind = "policy_denied" } },
}
