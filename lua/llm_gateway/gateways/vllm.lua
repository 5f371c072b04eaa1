-- gateways/vllm.lua: vLLM; data. {object = "error", message, type, param, code}, newer ones within `error`.

return {
  name = "vllm",
  auth = "bearer",
  api_path = "/v1",
  health_path = "/health",
  codes = { not_found = { "not_found_error" }, vague = { "bad_request_error" } },
  words = { too_large = { "maximum context length", "decoder prompt ... longer than the maximum model length" } },
  said = {
    "maximum context length is {limit} tokens. however, you requested {current} tokens",
    "(length {current}) is longer than the maximum model length of {limit}",
  },
}
