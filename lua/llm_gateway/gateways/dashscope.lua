-- gateways/dashscope.lua: Alibaba's DashScope (Model Studio); data. OpenAI's shape, or {code, message, request_id}.

return {
  name = "dashscope",
  auth = "bearer",
  api_path = "/compatible-mode/v1",
  request_ids = { "x-dashscope-request-id" },
  reasoning = "enable_thinking",
  codes = {
    policy_denied = { "data_inspection_failed", "*data_inspection_failed", "ip_infringement_suspect" },
    budget_exceeded = {
      "arrearage", "allocation_quota_free_tier_only", "*allocation_quota_free_tier*", "commodity_not_purchased",
      "prepaid_bill_overdue", "postpaid_bill_overdue", "*bill_overdue",
    },
    rate_limit = { "throttling*", "limit_requests", "limit_burst_rate" },
    authentication = { "invalid_api_key", "model_access_denied", "app_access_denied", "workspace_access_denied" },
  },
  words = {
    policy_denied = { "inappropriate content", "data may contain inappropriate" },
    budget_exceeded = {
      "account is in good standing", "free tier of the model has been exhausted", "free allocated quota exceeded",
    },
    too_large = { "range of input length should be" },
  },
  said = { "range of input length should be [1, {limit}]" },
}
