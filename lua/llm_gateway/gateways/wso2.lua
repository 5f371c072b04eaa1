-- gateways/wso2.lua: WSO2's API manager with AI guardrails; data.
-- {fault = {code, message, description}}; a guardrail is 446 (or 422) with {code, type, message = {action,
-- interveningGuardrail, actionReason}}.

return {
  name = "wso2",
  auth = { { header = "apikey" }, "bearer" },
  api_path = "/v1",
  codes = {
    policy_denied = { "900514", "*_guardrail" },
    rate_limit = { "900800", "900801", "900802", "900803", "900804", "900805", "900806", "900807" },
    authentication = { "900900", "900901", "900902", "900903", "900904", "900905", "900907", "900908", "900910" },
  },
  words = { rate_limit = { "message throttled out" } },
  fields = { retry_after = { "nextAccessTime" } },
  request_ids = { "activityid" },
}
