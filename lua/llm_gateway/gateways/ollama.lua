-- gateways/ollama.lua: Ollama; data. {error = text} of its own API, OpenAI's shape of the other.

return {
  name = "ollama",
  auth = "bearer",
  api_path = "/v1",
  health_path = "/",
  reasoning = "reasoning_effort",
  words = {
    rate_limit = {
      "server busy, please try again", "maximum pending requests exceeded", "you've reached your hourly usage limit",
      "you've reached your weekly usage limit",
    },
    not_found = { "not found, try pulling it first" },
    too_large = { "exceeds maximum context length", "input length exceeds" },
  },
}
