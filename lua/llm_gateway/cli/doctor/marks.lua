-- cli/doctor/marks.lua: by what a gateway's answers give away which one it is.
-- Leans on nothing. In each list the more telling marks come first, for a gateway relays its provider's headers too.

local M = {}

-- {the beginning of a header's name, profile}
local HEADERS = {
  { "x-litellm-", "litellm" }, { "x-portkey-", "portkey" }, { "helicone-", "helicone" }, { "x-bf-", "bifrost" },
  { "cf-aig-", "cloudflare" }, { "x-vercel-ai", "vercel" }, { "x-kong-", "kong" }, { "x-apisix-", "apisix" },
  { "x-ai-gateway-", "envoy" }, { "x-tensorzero-", "tensorzero" }, { "x-ms-region", "azure" },
  { "apim-request-id", "azure" }, { "x-databricks-", "databricks" }, { "x-or-", "openrouter" },
  { "openai-processing-ms", "openai" }, { "openai-version", "openai" }, { "anthropic-", "anthropic" },
  { "x-groq-", "groq" }, { "x-amzn-bedrock-", "bedrock" }, { "x-ds-trace-id", "deepseek" },
}

-- {header, what its value has, profile}
local VALUES = {
  { "server", "llama.cpp", "llamacpp" }, { "server", "kong", "kong" }, { "server", "apisix", "apisix" },
  { "server", "envoy", "envoy" },
}

-- {what the owner of a listed model has, profile}
local OWNERS = {
  { "library", "ollama" }, { "vllm", "vllm" }, { "llamacpp", "llamacpp" }, { "organization_owner", "lmstudio" },
  { "tensorwall", "tensorwall" },
}

-- {what the name of a service that tells its health has, profile}
local SERVICES = { { "llm-gateway-dev", "tensorwall" }, { "tensorwall", "tensorwall" } }

-- {what the words of a refusal have, profile}
local WORDS = { { "x-portkey-", "portkey" }, { "litellm", "litellm" } }

local function by_headers(headers)
  for _, mark in ipairs(HEADERS) do
    for name in pairs(headers) do
      if name:sub(1, #mark[1]) == mark[1] then return mark[2] end
    end
  end
  for _, mark in ipairs(VALUES) do
    if (headers[mark[1]] or ""):lower():find(mark[2], 1, true) then return mark[3] end
  end
end

local function by_text(list, text)
  for _, mark in ipairs(list) do
    if type(text) == "string" and text:lower():find(mark[1], 1, true) then return mark[2] end
  end
end

-- The name of the profile that answers (each with `headers`, and the `err` of a refusal), the owner of the first model
-- that is listed and the name of a service give away; nil when none is sure. The last two may be anything.
function M.profile(answers, owner, service)
  for _, answer in ipairs(answers) do
    local found = by_headers(answer.headers) or by_text(WORDS, answer.err and answer.err.message)
    if found then return found end
  end
  return by_text(OWNERS, owner) or by_text(SERVICES, service)
end

return M
