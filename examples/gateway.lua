-- gateway.lua: a client for the other examples: of the gateway that LLM_GATEWAY_BASE_URL names, or else of a
-- development gateway, started for the example and stopped when it ends.
local llm = require "llm_gateway"

local M = { llm = llm }

-- Calls fn(client, llm). Options are those of llm.new.
function M.with_client(options, fn)
  if os.getenv("LLM_GATEWAY_BASE_URL") then return fn(llm.new(options), llm) end
  local gateway = assert(require("llm_gateway.devgateway").start({ delay = 0.05 }))
  options.base_url, options.api_key = gateway.url, "gw_dev"
  local ok, err = pcall(fn, llm.new(options), llm)
  gateway:stop()
  if not ok then error(err, 0) end
end

return M
