-- devgateway/main.lua: the development gateway's own program, from the shell or from devgateway/init.lua.
-- Leans on lua-http through devgateway.server; started by a Lua without it, it finds another one.
-- Never prints a key other than the public default.

local USAGE = [[
usage: llm-gateway-dev [options]
  --port N            listen on this port of 127.0.0.1 (default: the kernel chooses one)
  --delay SECONDS     between two streamed words (default 0.02)
  --api-key KEY       accept this key (repeatable; default gw_dev)
  --no-key            ask for no key
  --dialect NAME      flat or detail: how refusals look (default flat)
  --fixtures FILE     JSON file of named answers
  --tls-cert FILE     with --tls-key FILE: speak https
  --http-version V    1.1 or 2 only (default: both)
  --config FILE       any of devgateway.start's options, as a JSON object
  --log               a line per request on standard error
  --until-eof         end when standard input ends
]]

local function add_key(settings, value)
  settings.api_key = type(settings.api_key) == "table" and settings.api_key or {}
  table.insert(settings.api_key, value)
end

local function add_tls(field)
  return function(settings, value)
    settings.tls = settings.tls or {}
    settings.tls[field] = value
  end
end

local function set(field, convert)
  return function(settings, value)
    settings[field] = convert and (convert(value) or error(field .. " is a number", 0)) or value
  end
end

local function flag(field, value)
  return { flag = true, apply = function(settings) settings[field] = value end }
end

local ARGUMENTS = {
  ["--port"] = { apply = set("port", tonumber) },
  ["--delay"] = { apply = set("delay", tonumber) },
  ["--api-key"] = { apply = add_key },
  ["--no-key"] = flag("api_key", false),
  ["--dialect"] = { apply = set("dialect") },
  ["--fixtures"] = { apply = set("fixtures") },
  ["--tls-cert"] = { apply = add_tls("cert") },
  ["--tls-key"] = { apply = add_tls("key") },
  ["--http-version"] = { apply = set("http_version") },
  ["--config"] = { apply = set("config") },
  ["--log"] = flag("log", true),
  ["--until-eof"] = flag("until_eof", true),
  ["--announce"] = flag("announce", true),
}

local function parse(arguments)
  local settings, index = {}, 1
  while arguments[index] do
    local name = arguments[index]
    local argument = ARGUMENTS[name] or error("unknown argument " .. name .. "\n" .. USAGE, 0)
    local value = not argument.flag and (arguments[index + 1] or error(name .. " needs a value", 0))
    argument.apply(settings, value)
    index = index + (argument.flag and 1 or 2)
  end
  return settings
end

local function load_config(settings)
  if not settings.config then return settings end
  local text = require("llm_gateway.devgateway.files").read(settings.config)
  local config, why = require("llm_gateway.devgateway.json").decode(text)
  if type(config) ~= "table" then error(settings.config .. ": " .. tostring(why or "no object"), 0) end
  for name, value in pairs(config) do
    if settings[name] == nil then settings[name] = value end
  end
  return settings
end

-- Run from a checkout or an installed tree, this file knows where its modules are.
local function find_modules()
  local root = arg[0]:match("^(.*)llm_gateway/devgateway/main%.lua$")
  if not root then return end
  root = root == "" and "./" or root
  package.path = root .. "?.lua;" .. root .. "?/init.lua;" .. package.path
end

local function has_libraries()
  return pcall(require, "http.server") and pcall(require, "llm_gateway.devgateway.json")
end

local function announce(settings, port)
  if settings.announce then
    io.stdout:write("ready ", ("%d"):format(port), "\n")
  else
    local scheme = settings.tls and "https" or "http"
    local key = settings.api_key == nil and "  (API key: gw_dev; Ctrl-C stops it)" or ""
    io.stdout:write("development gateway on ", scheme, "://127.0.0.1:", ("%d"):format(port), key, "\n")
  end
  io.stdout:flush()
end

local function run(arguments)
  local settings = load_config(parse(arguments))
  local server = require("llm_gateway.devgateway.server")
  server.run(settings, function(port) announce(settings, port) end)
end

local function fail(message)
  local announced = false
  for _, argument in ipairs(arg) do announced = announced or argument == "--announce" end
  if announced then
    io.stdout:write("failed ", (tostring(message):gsub("\n", "\\n")), "\n")
  else
    io.stderr:write("llm-gateway-dev: ", tostring(message), "\n")
  end
  os.exit(1)
end

local function main()
  find_modules()
  if arg[1] == "--help" or arg[1] == "-h" then return io.stdout:write(USAGE) end
  if arg[1] == "--probe" then os.exit(has_libraries() and 0 or 1) end
  if not os.getenv("LLM_GATEWAY_DEV_LAUNCHED") and not has_libraries() then
    os.exit(require("llm_gateway.devgateway.launch").run(arg) and 0 or 1)
  end
  local ok, message = pcall(run, arg)
  if not ok then fail(message) end
end

main()
