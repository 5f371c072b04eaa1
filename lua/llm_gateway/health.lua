-- health.lua: what `:checkhealth llm_gateway` tells in Neovim. Nothing else requires it.

local core = require("llm_gateway.core")
local llm = require("llm_gateway")

local SOON = 3 -- seconds that a gateway has to answer

-- Neovim 0.10 named its functions anew.
local function reporter()
  local health = vim.health or {}
  if health.start then return health end
  local old = health.report_start and health or require("health")
  return { start = old.report_start, ok = old.report_ok, warn = old.report_warn, error = old.report_error }
end

local function check_gateway(report, client)
  local reply, err = client:health({ timeout = SOON, connect_timeout = SOON, total_timeout = SOON })
  if reply then return report.ok(tostring(client) .. " answers") end
  if err.status then return report.ok(("%s answers (%s)"):format(tostring(client), tostring(err))) end
  report.error(tostring(err), { "set LLM_GATEWAY_BASE_URL, or base_url in setup{}" })
end

-- Runs the checks.
local function check()
  local report = reporter()
  report.start("llm_gateway")
  report.ok(("%s with libcurl %s"):format(llm._VERSION, core.curl_version))
  if llm.fd() then
    report.ok("its loop is one descriptor, for vim.uv or vim.loop")
  else
    report.warn("this system has no descriptor for a loop: it is stepped by a timer")
  end
  if (os.getenv("LLM_GATEWAY_API_KEY") or "") == "" then
    report.warn("LLM_GATEWAY_API_KEY is not set", { "set it, or api_key in setup{}" })
  else
    report.ok("LLM_GATEWAY_API_KEY is set")
  end
  local made, client = pcall(llm.new, { max_retries = 0 })
  if not made then return report.error(client) end
  check_gateway(report, client)
  client:close()
end

return { check = check }
