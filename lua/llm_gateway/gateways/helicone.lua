-- gateways/helicone.lua: Helicone's AI gateway and its older proxy; data.

return {
  name = "helicone",
  auth = { "bearer", { header = "Helicone-Auth", prefix = "Bearer " } },
  api_path = "/v1",
  identity = { app = "Helicone-Property-App", org = "Helicone-Property-Org", feature = "Helicone-Property-Feature" },
  request_ids = { "helicone-id" },
  codes = {
    policy_denied = { "prompt_threat_detected", "llm_security_*" },
    budget_exceeded = { "insufficient_credits" },
  },
  words = {
    policy_denied = { "prompt threat detected", "request blocked by moderation" },
    budget_exceeded = { "insufficient credits" },
  },
  headers = {
    cache = { "helicone-cache" },
    provider = { "helicone-provider" },
    rate_limit_policy = { "helicone-ratelimit-policy" },
  },
}
