-- gateways/llamacpp.lua: llama.cpp's server; data. {error = {code, message, type}}; in a stream the field `error:`.

return {
  name = "llamacpp",
  auth = "bearer",
  api_path = "/v1",
  health_path = "/health",
  codes = {
    too_large = { "exceed_context_size_error" },
    authentication = { "authentication_error" },
    vague = { "invalid_request_error" },
  },
  words = { too_large = { "exceeds the available context size" } },
  said = { "request ({size} tokens) exceeds the available context size ({limit} tokens" },
  fields = { size_limit = { "n_ctx" }, size = { "n_prompt_tokens" } },
}
