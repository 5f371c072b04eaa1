-- gateways/apigee.lua: Apigee; data. {fault = {faultstring, detail = {errorcode}}}.

return {
  name = "apigee",
  auth = { { header = "x-apikey" }, "bearer" },
  api_path = "/v1",
  codes = {
    policy_denied = { "steps_sanitize_*", "*model_armor*", "steps_raisefault*policy*" },
    rate_limit = {
      "policies_ratelimit_*", "policies_llmtokenquota_*", "policies_prompttokenlimit_*", "*spike_arrest_violation*",
      "*quota_violation",
    },
    authentication = { "oauth_v2_*", "keymanagement_service_*", "steps_oauth_*" },
  },
  words = {
    rate_limit = { "rate limit quota violation", "spike arrest violation" },
    authentication = { "invalid apikey", "failed to resolve api key" },
  },
}
