-- gateways/lmstudio.lua: LM Studio; data. {error = text or {message}}; in a stream `event: error`.

return {
  name = "lmstudio",
  auth = "bearer",
  api_path = "/v1",
  words = {
    too_large = {
      "greater than the context length", "reached context length", "cannot truncate prompt with n_keep",
      "loaded with context length of only",
    },
    not_found = { "no models loaded", "failed to load model" },
  },
  said = {
    "n_keep ({current}) >= n_ctx ({limit})", "keep the first {current} tokens", "context length of only {limit} tokens",
  },
}
