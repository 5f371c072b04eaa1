-- gateways/xai.lua: xAI; data. {code, error}, where the code may be a sentence.

return {
  name = "xai",
  auth = "bearer",
  api_path = "/v1",
  reasoning = "reasoning_effort",
  codes = {
    policy_denied = { "*safety_check*", "*content_violates*" },
    budget_exceeded = { "personal_team_blocked:spending_limit", "*:spending_limit", "*:out_of_credits" },
    authentication = { "*:unauthenticated", "*blocked:api_key*", "*:bad_credentials" },
  },
  words = {
    policy_denied = {
      "content violates usage guidelines", "failed check: safety_check", "violates usage guidelines",
    },
    budget_exceeded = {
      "used all available credits", "reached its monthly spending limit", "run out of credits",
      "doesn't have any credits",
    },
    too_large = { "maximum prompt length is" },
  },
  said = {
    "maximum prompt length is {limit} but the request contains {current} tokens", "failed check: {policy_name}",
  },
}
