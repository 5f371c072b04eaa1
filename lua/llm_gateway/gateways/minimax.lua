-- gateways/minimax.lua: MiniMax; data. A 200 with base_resp = {status_code, status_msg}.

return {
  name = "minimax",
  auth = "bearer",
  api_path = "/v1",
  request_ids = { "trace-id", "minimax-request-id" },
  codes = {
    policy_denied = { "1026", "1027" },
    budget_exceeded = { "1008", "2056" },
    rate_limit = { "1041", "2045", "base_resp_1002" },
    too_large = { "1039" },
    authentication = { "2049", "base_resp_1004" },
    timeout = { "base_resp_1001" },
  },
  own_codes = { rate_limit = { "1002" }, authentication = { "1004" }, timeout = { "1001" } },
  words = { budget_exceeded = { "insufficient balance" }, authentication = { "login fail" } },
}
