-- gateways/deepseek.lua: DeepSeek; data. OpenAI's shape; 402 for no balance.

return {
  name = "deepseek",
  auth = "bearer",
  api_path = "/v1",
  request_ids = { "x-ds-trace-id" },
  words = { budget_exceeded = { "insufficient balance" }, policy_denied = { "content exists risk" } },
}
