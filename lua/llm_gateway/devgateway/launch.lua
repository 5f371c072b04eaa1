-- devgateway/launch.lua: the shell command that runs the development gateway under a Lua that has lua-http.
-- Leans on a POSIX shell; runs nothing itself but by `run`.
-- Never puts settings or keys on a command line, where other users could read them.

local CANDIDATES = { "luajit", "lua5.1", "lua5.4", "lua5.3", "lua5.2", "lua" }

-- Search paths meant for the host's Lua can hide or break the modules of another one.
local SEARCH_VARIABLES = "LUA_INIT LUA_PATH LUA_CPATH LUA_INIT_5_2 LUA_PATH_5_2 LUA_CPATH_5_2 "
  .. "LUA_INIT_5_3 LUA_PATH_5_3 LUA_CPATH_5_3 LUA_INIT_5_4 LUA_PATH_5_4 LUA_CPATH_5_4"

local MISSING = "no Lua on this machine has both lua-http and lua-cjson: on Debian install lua-http, "
  .. "lua-cjson and luajit, elsewhere the rocks http and lua-cjson"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function quote_all(list)
  local quoted = {}
  for index, text in ipairs(list) do quoted[index] = quote(text) end
  return table.concat(quoted, " ")
end

local function here()
  return debug.getinfo(1, "S").source:match("^@(.*)launch%.lua$") or "./"
end

local M = {}

-- The command. arguments: a list of texts for main.lua. how.lua: the interpreter to use;
-- how.announce: path of a named pipe that becomes its standard output and first gets "pid N".
-- The shell becomes the gateway (exec): one process, one pid. Candidates are tried with the
-- environment as it is, then without Lua's search variables.
function M.command(arguments, how)
  local main = quote(here() .. "main.lua")
  local lines = {
    how.announce and ("exec >" .. quote(how.announce) .. "; echo \"pid $$\"") or ":",
    "try() { for lua in " .. quote_all(how.lua and { how.lua } or CANDIDATES) .. "; do",
    "  command -v \"$lua\" >/dev/null 2>&1 || continue",
    "  \"$lua\" " .. main .. " --probe </dev/null >/dev/null 2>&1 || continue",
    "  LLM_GATEWAY_DEV_LAUNCHED=1 exec \"$lua\" " .. main .. " " .. quote_all(arguments),
    "done; }",
    "try",
    "unset " .. SEARCH_VARIABLES,
    "try",
    "echo " .. quote("failed " .. (how.lua and (how.lua .. " lacks lua-http or lua-cjson") or MISSING)),
    "exit 69",
  }
  return table.concat(lines, "\n")
end

local function has(arguments, wanted)
  for _, argument in ipairs(arguments) do
    if argument == wanted then return true end
  end
  return false
end

-- A private folder with a named pipe in it.
local function make_pipe()
  local made = assert(io.popen('d=$(mktemp -d) && mkfifo "$d/over" && printf "%s\\n" "$d"', "r"))
  local folder = made:read("*l")
  made:close()
  return folder
end

-- Runs a command until it or this process ends: its standard input is a pipe of ours, which closes however we end, and
-- it holds the other end of a named pipe, whose closing tells of its own end.
local function run_tied(command)
  local folder = assert(make_pipe(), "cannot make a private folder (mktemp, mkfifo)")
  local over = folder .. "/over"
  local input = assert(io.popen(("exec 9>%s\nrm -r %s\n%s"):format(quote(over), quote(folder), command), "w"))
  pcall(function() -- Ctrl-C reaches both, and interrupts the reading here
    local told = assert(io.open(over, "r"))
    told:read("*a")
    told:close()
  end)
  return input:close()
end

-- Runs the gateway in the foreground under a fitting Lua, no longer than this process lives; returns true when it
-- ended well (before Lua 5.2: when it ended).
function M.run(arguments)
  local status
  if has(arguments, "--until-eof") then
    status = os.execute(M.command(arguments, {}))
  else
    local all = { "--until-eof" }
    for _, argument in ipairs(arguments) do table.insert(all, argument) end
    status = run_tied(M.command(all, {}))
  end
  return status == true or status == 0
end

return M
