-- gateways/huggingface.lua: Hugging Face's router and endpoints (TGI); data.
-- {error, estimated_time} or {error, error_type}.

return {
  name = "huggingface",
  auth = "bearer",
  api_path = "/v1",
  codes = { rate_limit = { "overloaded" }, vague = { "validation", "generation", "incomplete_generation" } },
  words = {
    budget_exceeded = { "exceeded your monthly included credits", "monthly included credits", "pre-paid credits" },
    rate_limit = { "reached free monthly usage limit" },
    too_large = { "must have less than ... tokens", "inputs tokens + max_new_tokens must be" },
  },
  said = {
    "must have less than {limit} tokens. given: {current}", "inputs tokens + max_new_tokens must be <= {limit}",
  },
  fields = { retry_after = { "estimated_time" } },
}
