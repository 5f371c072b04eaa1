-- devgateway/init.lua: starts and stops the development gateway from a Lua program.
-- The gateway is a process of its own, so that a blocking client in this Lua can talk to it.
-- Leans on io.popen, os, llm_gateway.json and devgateway.launch; never on lua-http, which only the
-- gateway's own process needs, and never on the C core.
--
-- Nothing here sleeps or polls: the process writes one line into a named pipe when it listens. Its
-- standard input is a pipe held by this program: it ends when that closes, however this program ends.

local json = require("llm_gateway.json")
local launch = require("llm_gateway.devgateway.launch")

local OPTIONS = {
  api_key = true, apps = true, delay = true, dialect = true, dimensions = true,
  fixtures = true, http_version = true, log = true, lua = true, models = true, orgs = true,
  policies = true, port = true, tls = true,
}

local Gateway = {}
Gateway.__index = Gateway

local function check_options(options)
  for name in pairs(options) do
    if not OPTIONS[name] then
      error("devgateway.start: unknown option '" .. tostring(name) .. "'", 3)
    end
  end
  if options.dialect ~= nil and options.dialect ~= "flat" and options.dialect ~= "detail" then
    error("devgateway.start: dialect is \"flat\" or \"detail\"", 3)
  end
end

local function first_line(command)
  local pipe = io.popen(command, "r")
  local line = pipe and pipe:read("*l")
  if pipe then pipe:close() end
  return line
end

-- A private folder (mode 700) with the named pipe in it: keys in the settings stay unread by others.
local function make_room()
  local folder = first_line('d=$(mktemp -d) && mkfifo "$d/ready" && printf "%s\\n" "$d"')
  if not folder then return nil, "cannot make a private folder for the gateway (mktemp, mkfifo)" end
  return { folder = folder, ready = folder .. "/ready", settings = folder .. "/settings.json" }
end

local function clear_room(room)
  os.remove(room.settings)
  os.remove(room.ready)
  os.remove(room.folder)
end

local function write_settings(room, options)
  local text, message = json.encode(options)
  if not text then return nil, "devgateway.start: " .. tostring(message) end
  local file, why = io.open(room.settings, "w")
  if not file then return nil, why end
  file:write(text)
  file:close()
  return true
end

-- The process's first words: its pid, from the shell that becomes it, then "ready PORT" or "failed WHY".
local function read_announcement(room)
  local fifo, why = io.open(room.ready, "r")
  if not fifo then return nil, why end
  local pid = tonumber((fifo:read("*l") or ""):match("^pid (%d+)$"))
  local line = fifo:read("*l") or "failed the gateway's process ended before it was ready"
  fifo:close()
  local port = tonumber(line:match("^ready (%d+)$"))
  if port and pid then return { port = port, pid = pid } end
  return nil, "development gateway: " .. line:gsub("^failed ", ""):gsub("\\n", "\n")
end

local function open_process(room, options)
  local ok, message = write_settings(room, options)
  if not ok then return nil, message end
  local arguments = { "--config", room.settings, "--announce", "--until-eof" }
  local pipe, why = io.popen(launch.command(arguments, { lua = options.lua, announce = room.ready }), "w")
  if not pipe then return nil, why end
  local found, failure = read_announcement(room)
  if found then return pipe, found end
  pipe:close()
  return nil, failure
end

-- Stops the gateway and waits until its process is gone. Calling it again does nothing.
function Gateway:stop()
  local pipe = self.pipe
  if not pipe then return end
  self.pipe = nil
  -- The pid is our direct child and stays reserved until close() has waited for it. A signal, because
  -- a process that this program forked meanwhile may hold a copy of the pipe.
  os.execute("kill " .. ("%d"):format(self.pid) .. " 2>/dev/null")
  pipe:close()
end

Gateway.__gc = Gateway.stop
Gateway.__close = Gateway.stop

local M = {}

-- Starts a development gateway on 127.0.0.1 and returns when it listens.
-- options (all optional; an unknown one raises):
--   port          number; the kernel chooses one otherwise
--   delay         seconds between two streamed words (0.02)
--   api_key       text or a list of texts ("gw_dev"); false: no key is asked for
--   dialect       "flat" (default) or "detail": how refusals look
--   fixtures      path of a JSON file with named answers: {cases = {{name, status, headers, body}, ...}}
--   apps          {[app_id] = {budget = {limit = USD, type = "monthly"},
--                 rate = {limit = n, window = seconds}}}; given, any other app is refused;
--                 otherwise "demo-budget" and "demo-rate" have limits
--   orgs          list of the organisations known; any is welcome otherwise
--   policies      list of {name=, models = {...}, words = {...}, apps = {...}}; replaces the two of the demo
--   models        list of {id=, owned_by=, input=, output=, embeds=} (USD per 1,000 tokens), added
--                 to the known ones
--   dimensions    of an embedding when the request names none (256)
--   tls           {cert = path, key = path} in PEM; plain HTTP otherwise
--   http_version  "1.1" or "2"; both are spoken otherwise
--   log           true: a line per request on standard error
--   lua           the interpreter to run it with; the first that has lua-http otherwise
-- Returns a gateway with url, port, pid and stop(), or nil and a message.
function M.start(options)
  options = options or {}
  check_options(options)
  local room, message = make_room()
  if not room then return nil, message end
  local pipe, found = open_process(room, options)
  clear_room(room)
  if not pipe then return nil, found end
  local scheme = options.tls and "https" or "http"
  return setmetatable({
    pipe = pipe, pid = found.pid, port = found.port,
    url = scheme .. "://127.0.0.1:" .. ("%d"):format(found.port),
  }, Gateway)
end

return M
