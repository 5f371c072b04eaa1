-- place.lua: the load server as a process of its own, for the programs of bench/.
-- Leans on a shell, mktemp and mkfifo; expects build/bench/server (tools.sh builds it).

local M = {}

local Server = {}
Server.__index = Server

local function output_of(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- Starts the server on ports that the kernel chooses. `prefix` is a command to start it with (taskset, ...);
-- `certificate` is {cert = path, key = path} for its TLS half. Returns {url, tls_url, stop()}; the
-- urls have no path: server/answers.h has those.
function M.start(prefix, certificate)
  local fifo = output_of('f=$(mktemp -u) && mkfifo -m 600 "$f" && printf %s "$f"')
  local files = certificate and certificate.cert .. " " .. certificate.key or ""
  local pipe = assert(io.popen(("exec %s build/bench/server %s >%s"):format(prefix or "", files, fifo), "w"))
  local announcement = assert(io.open(fifo, "r"))
  local line = announcement:read("*l") or ""
  announcement:close()
  os.remove(fifo)
  local port, tls_port = line:match("^(%d+) (%d+)$")
  assert(port, "the load server does not start: is build/bench/server built?")
  return setmetatable({
    pipe = pipe, url = "http://127.0.0.1:" .. port, tls_url = "https://127.0.0.1:" .. tls_port,
  }, Server)
end

-- Ends the server, which ends with its standard input, and waits for that.
function Server:stop()
  self.pipe:close()
end

M.output_of = output_of

return M
