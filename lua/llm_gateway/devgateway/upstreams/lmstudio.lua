-- devgateway/upstreams/lmstudio.lua: LM Studio's server: OpenAI's protocol, with refusals of its own; for init.lua.
-- Leans on openai.lua beside this file. A local server has no key, no limit and no quota.

local openai = require("llm_gateway.devgateway.upstreams.openai")

local M = {}
for name, value in pairs(openai) do M[name] = value end

M.refusals = {
  overloaded = { status = 500, body = { error = "Model is unloaded." } },
  too_large = { status = 400, body = { error = "Trying to keep the first 9000 tokens when context the overflows. "
    .. "However, the model is loaded with context length of only 4096 tokens, which is not enough." } },
}

M.breaks = {
  overloaded = 'event: error\ndata: {"error":{"message":"The model has crashed without additional information. '
    .. '(Exit code: 18446744072635812000)"}}\n\n',
}

return M
