-- gateways/lmstudio.lua: LM Studio; data. {error = text or {message}}; in a stream `event: error`.

return {
  name = "lmstudio",
  auth = "bearer",
  api_path = "/v1",
  words = {
    too_large = {
      "greater than the context length", "reached context length", "cannot truncate prompt with n_keep",
    },
    not_found = { "no models loaded", "failed to load model" },
  },
  said = { "n_keep ({current}) >= n_ctx ({limit})" },
}
