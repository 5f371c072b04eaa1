-- gateways/watsonx.lua: IBM's watsonx; data. {errors = [{code, message}], trace, status_code}.

return {
  name = "watsonx",
  auth = "bearer",
  api_path = "/ml/gateway/v1",
  codes = {
    budget_exceeded = { "token_quota_reached", "instance_quota_*" },
    rate_limit = { "rate_limit_reached_requests", "consumption_limit_reached", "downstream_request_limit*" },
    authentication = { "authentication_token_*", "authorization_rejected" },
    not_found = { "model_not_supported" },
  },
  fields = { request_id = { "trace" } },
  request_ids = { "x-global-transaction-id" },
}
