-- lockstep.lua: client and server in one thread: the server's next piece goes out once the client has read the last.
-- Leans on spec/native/peer.c, which it builds for the running Lua, and on llm_gateway's loop. Never sleeps.

local llm = require "llm_gateway"
local objects = require "spec.objects"

local M = {}

local EAGER_STEPS, MOST_STEPS = 1000, 2000 -- for a request or a piece: a bug must not hang the spec
local NAP = 0.01 -- seconds at most for each step that is no longer eager: the kernel may have other things to do

-- Builds a C file of spec/native with others into build/spec; returns its path. Under the name of its process, then
-- renamed: another one may be building, or running, the same.
function M.build(target, flags, files)
  local path = "build/spec/" .. target
  local command = ("mkdir -p build/spec && gcc -std=c11 -O2 -Wall -Wextra -Werror %s -o %s.$$ %s && mv %s.$$ %s")
    :format(flags, path, files, path, path)
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
  return path
end

-- The same for a program on top of the core, without the binding.
function M.build_with_core(target, files)
  local sources = ("%s %s $(pkg-config --libs libcurl)"):format(files, objects.core())
  return M.build(target, "-Isrc $(pkg-config --cflags libcurl)", sources)
end

local function load_peer()
  local name = (os.getenv("SPEC_BUILD") or "build/5.4"):match("[^/]+$")
  local package_name = name:match("^jit") and "luajit" or "lua" .. name:match("^[%d.]+")
  local path = M.build("peer-" .. name .. ".so", "-shared -fPIC $(pkg-config --cflags " .. package_name .. ")",
    "spec/native/lpeer.c spec/native/peer.c")
  return assert(package.loadlib(path, "luaopen_spec_peer"))()
end

local Room = {}
Room.__index = Room

-- A place to play: a listener, and a loop of its own. `options` are the client's.
function M.open(options)
  local peer = load_peer()
  local listener, port = peer.listen()
  local loop = llm.new_loop()
  local all = { base_url = ("http://127.0.0.1:%d"):format(port), api_key = "gw_dev", max_retries = 0, loop = loop }
  for name, value in pairs(options or {}) do all[name] = value end
  return setmetatable({ peer = peer, listener = listener, loop = loop, client = llm.new(all) }, Room)
end

function Room:close()
  self.client:close()
  self.loop:close()
  self.peer.unlisten(self.listener)
end

-- Whether the bytes are a whole request: its body's length is told, or (HTTP/2) its last frame is here.
function M.is_whole(bytes)
  if bytes:sub(1, 3) ~= "PRI" then
    local _, head = bytes:find("\r\n\r\n", 1, true)
    local length = head and bytes:match("[Cc]ontent%-[Ll]ength: (%d+)")
    return head ~= nil and #bytes == head + (tonumber(length) or 0)
  end
  local at = 25
  while at + 8 <= #bytes do
    local a, b, c, kind, flags = bytes:byte(at, at + 4)
    if kind == 0 and flags % 2 == 1 then return true end
    at = at + 9 + a * 65536 + b * 256 + c
  end
  return false
end

-- A step of the client, the i-th while something is waited for.
local function step(self, i)
  self.loop:step(i > EAGER_STEPS and NAP or 0)
end

local function take_request(self)
  local connection
  local bytes = ""
  for i = 1, MOST_STEPS do
    step(self, i)
    connection = connection or self.peer.accept(self.listener)
    if connection then bytes = bytes .. assert(self.peer.read(connection), "the client went away") end
    if M.is_whole(bytes) then return connection end
  end
  error("no request came")
end

local function send(self, connection, piece, state)
  assert(self.peer.send(connection, piece), "the client does not listen")
  for i = 1, MOST_STEPS do
    step(self, i)
    if state.done or self.peer.unread(connection) == 0 then return end
  end
  error("the client does not read")
end

-- Answers one call, act(client), with pieces, and ends the connection behind them ("close" or "reset"). Returns what
-- act returned.
function Room:play(pieces, ending, act)
  local state = {}
  self.loop:spawn(function() state.first, state.second = act(self.client) state.done = true end)
  local connection = take_request(self)
  for _, piece in ipairs(pieces) do
    if piece ~= "" and not state.done then send(self, connection, piece, state) end
  end
  self.peer.close(connection, ending == "reset")
  for i = 1, MOST_STEPS do
    if state.done then break end
    step(self, i)
  end
  assert(state.done, "the call does not end")
  self.loop:step(0)
  return state.first, state.second
end

return M
