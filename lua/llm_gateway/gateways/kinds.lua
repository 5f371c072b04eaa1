-- gateways/kinds.lua: what a profile may say that a refusal is (see init.lua), in the order in which codes and words
-- are asked for it. Leans on nothing.

return {
  "in_flight", "policy_denied", "budget_exceeded", "too_large", "authentication", "rate_limit", "timeout", "not_found",
  "validation", "server", "vague",
}
