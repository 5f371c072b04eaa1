-- gateways/portkey.lua: Portkey (seen: 1.15); data.
-- 446 is a guardrail that denied, 246 one that only warned, 412 a usage limit. hook_results says which check it was.

return {
  name = "portkey",
  auth = { { header = "x-portkey-api-key" } },
  api_path = "/v1",
  request_ids = { "x-portkey-trace-id", "x-portkey-request-id" },
  statuses = { [446] = "policy_denied", [412] = "budget_exceeded" },
  codes = { policy_denied = { "hooks_failed" } },
  words = {
    budget_exceeded = { "usage limits exceeded", "usage limit exceeded" },
    validation = { -- said with a 500, of a verb that it has not for that provider
      "createmodelresponse is not supported by", "chatcomplete is not supported by", "embed is not supported by",
      "messages is not supported by",
    },
  },
  headers = {
    cache = {
      "x-portkey-cache-status" }, provider = { "x-portkey-provider" }, attempts = { "x-portkey-retry-attempt-count",
    },
  },
}
