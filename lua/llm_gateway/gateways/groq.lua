-- gateways/groq.lua: Groq; data. OpenAI's shape; in a stream x_groq.error. A request beyond the tier's tokens a minute
-- is a 413 with the code rate_limit_exceeded.

return {
  name = "groq",
  auth = "bearer",
  api_path = "/openai/v1",
  reasoning = "reasoning_effort",
  request_ids = { "x-groq-request-id" },
  codes = {
    policy_denied = { "content_blocked" },
    budget_exceeded = { "blocked_api_access", "spend_limit_reached" },
    not_found = { "model_not_found" },
  },
  words = { budget_exceeded = { "spend alert threshold", "specified api spend" } },
  said = { "limit {limit}, used {current}, requested", "limit {limit}, requested {current}" },
}
