-- gateways/tensorzero.lua: TensorZero's gateway; data. {error = text} or {error = {message}, tensorzero_error_json}.

return {
  name = "tensorzero",
  auth = "bearer",
  api_path = "/openai/v1",
  health_path = "/health",
  codes = { rate_limit = { "rate_limit_exceeded" } },
  words = {
    rate_limit = { "tensorzero rate limits exceeded", "rate limit exceeded" },
    authentication = { "tensorzero authentication error" },
  },
  fields = { request_id = { "episode_id", "inference_id" } },
}
