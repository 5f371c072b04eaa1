-- cli/init.lua: the command line: which command runs, and with what status it ends.

local exits = require("llm_gateway.cli.exits")

local M = {}

local COMMANDS = {
  chat = function() return require("llm_gateway.cli.chat") end,
  doctor = function() return require("llm_gateway.cli.doctor") end,
  embed = function() return require("llm_gateway.cli.commands").embed end,
  health = function() return require("llm_gateway.cli.commands").health end,
  models = function() return require("llm_gateway.cli.commands").models end,
  serve = function() return require("llm_gateway.cli.commands").serve end,
}

-- `serve` hands its words on as they are, options and all.
local function serve_arguments(arguments)
  if arguments[1] ~= "serve" then return nil end
  local rest = {}
  for i = 2, #arguments do rest[i - 1] = arguments[i] end
  return { command = "serve", arguments = rest }
end

-- Runs a command line (a list of words). Returns the exit status (exits.lua).
function M.run(arguments)
  if arguments[1] == "--version" then
    io.stdout:write(require("llm_gateway")._VERSION, "\n")
    return exits.OK
  end
  local args = serve_arguments(arguments)
  if not args then
    local parser, missing = require("llm_gateway.cli.parser").new()
    if not parser then return exits.usage(missing) end
    local ok, parsed = parser:pparse(arguments)
    if not ok then return exits.usage(tostring(parsed) .. " (llm-gateway --help)") end
    args = parsed
  end
  local ran, status = pcall(COMMANDS[args.command](), args)
  if ran then return status end
  return exits.report(status)
end

return M
