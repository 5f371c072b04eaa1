-- cli/doctor/marks.lua: by what a gateway's answers give away which one it is: data.
-- A mark is the beginning of a header's name, a header's value, or the owner of a listed model. Order: the more telling
-- ones first, for a gateway relays its provider's headers too.

return {
  headers = {
    { "x-litellm-", "litellm" }, { "x-portkey-", "portkey" }, { "helicone-", "helicone" }, { "x-bf-", "bifrost" },
    { "cf-aig-", "cloudflare" }, { "x-vercel-ai", "vercel" }, { "x-kong-", "kong" }, { "x-apisix-", "apisix" },
    { "x-ai-gateway-", "envoy" }, { "x-tensorzero-", "tensorzero" }, { "x-ms-region", "azure" },
    { "apim-request-id", "azure" }, { "x-databricks-", "databricks" }, { "x-or-", "openrouter" },
    { "openai-processing-ms", "openai" }, { "openai-version", "openai" }, { "anthropic-", "anthropic" },
    { "x-groq-", "groq" }, { "x-amzn-bedrock-", "bedrock" }, { "x-ds-trace-id", "deepseek" },
  },
  values = {
    { "server", "llama.cpp", "llamacpp" }, { "server", "kong", "kong" }, { "server", "apisix", "apisix" },
    { "server", "envoy", "envoy" },
  },
  owners = { { "library", "ollama" }, { "vllm", "vllm" }, { "llamacpp", "llamacpp" },
    { "organization_owner", "lmstudio" }, { "tensorwall", "tensorwall" } },
  health = { { "llm-gateway-dev", "tensorwall" }, { "tensorwall", "tensorwall" } },
}
