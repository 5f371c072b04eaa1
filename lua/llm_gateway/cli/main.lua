-- cli/main.lua: the program llm-gateway, from the shell. The room's other files are modules; this one ends the process.

-- Run from a checkout or an installed tree, this file knows where its modules are.
local function find_modules()
  local root = arg[0]:match("^(.*)llm_gateway/cli/main%.lua$")
  if not root then return end
  root = root == "" and "./" or root
  package.path = root .. "?.lua;" .. root .. "?/init.lua;" .. package.path
  local built = rawget(_G, "jit") and "jit" or _VERSION:match("%d+%.%d+")
  package.cpath = package.cpath .. ";" .. root .. "../build/" .. built .. "/?.so"
end

-- A standard stream that is closed leaves its number to whatever is opened next, a connection even: take it first.
local taken = {} -- luacheck: ignore (it only keeps them open)
for i = 1, 3 do taken[i] = io.open("/dev/null") or false end

find_modules()
local exits = require("llm_gateway.cli.exits")
local status = require("llm_gateway.cli").run(arg)
local written, why = io.stdout:flush()
if not written and status == exits.OK then status = exits.report(require("llm_gateway.cli.output").unwritable(why)) end
os.exit(status, true)
