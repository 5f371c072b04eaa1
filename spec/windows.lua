-- windows.lua: what a user does first, on Windows: chats, streams, tasks, files and failures, against the development
-- gateway whose URL is given. Run by windows.sh, under a plain Lua: there is no busted for it.

local core = require "llm_gateway.core"
local llm = require "llm_gateway"

local url = arg[1]
local client = llm.new({ base_url = url, api_key = "gw_test", max_retries = 0 })
local messages = { { role = "user", content = "Count to 3" } }

local function write(name, bytes)
  local file = assert(io.open(name, "wb"))
  file:write(bytes)
  file:close()
end

local function read(name)
  local file = assert(io.open(name, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

local function temporary(name) return (os.getenv("TEMP") or ".") .. "\\" .. name end

local function check(what, condition, seen)
  print((condition and "ok      " or "FAILED  ") .. what)
  if not condition then error(what .. ": " .. tostring(seen), 0) end
end

local function streams()
  local stream = assert(client:chat({ messages = messages, stream = true }))
  local reply, err = stream:collect()
  check("a stream", reply and reply:text() == "1 2 3", err)
  stream = assert(client:chat({ messages = messages, stream = true }))
  stream:next()
  stream:close()
  reply, err = client:chat({ messages = messages })
  check("a chat after a stream that was closed", reply and reply:text() == "1 2 3", err)
end

local function tasks()
  local replies, errors = llm.run(function()
    local list = {}
    for i = 1, 50 do list[i] = i end
    return llm.map(list, { concurrency = 20 }, function()
      return assert(client:chat({ messages = messages, stream = true })):collect()
    end)
  end)
  check("50 streams in tasks", errors == nil and replies[50]:text() == "1 2 3", errors and select(2, next(errors)))
end

local function files()
  local from, to = temporary("from.txt"), temporary("to.bin")
  local bytes = "abc\r\n\26def\n" -- text mode would change each of these
  write(from, bytes)
  local reply, err = client:request({ path = "/~echo", multipart = { file = { path = from } } })
  check("a file that is sent", reply and llm.json.encode(reply):find("abc\\r\\n\\u001adef\\n", 1, true), err)
  reply, err = client:request({ path = "/v1/audio/speech", body = { model = "tts-1", voice = "alloy", input = "a" },
    into = to })
  check("an answer in a file", reply and #read(to) > 0, err)
  os.remove(from)
  os.remove(to)
  local _, refusal = client:request({ path = "/v1/audio/speech", body = { input = "a" }, into = "no\\such\\to.bin" })
  check("a file that cannot be written", tostring(refusal):find("No such file", 1, true), refusal)
end

local function failures()
  local _, err = client:request({ method = "GET", path = "/v1/nothing" })
  check("a 404", err.kind == "not_found" and err.status == 404, err)
  local stalled = llm.new({ base_url = url .. "/~fault/stall", api_key = "gw_test", max_retries = 0, timeout = 0.3 })
  _, err = assert(stalled:chat({ messages = messages, stream = true })):collect()
  check("a stream that stalls", err.kind == "timeout" and err.partial ~= "", err)
  local cut = llm.new({ base_url = url .. "/~fault/cut", api_key = "gw_test", max_retries = 0 })
  _, err = assert(cut:chat({ messages = messages, stream = true })):collect()
  check("a stream that is cut", err.kind == "stream" and err.partial ~= "", err)
  local nobody = llm.new({ base_url = "http://127.0.0.1:1", api_key = "gw_test", max_retries = 0 })
  _, err = nobody:chat({ messages = messages })
  check("nobody who listens, in the system's words", err.kind == "connection" and tostring(err):find("efused"), err)
end

local function clocks()
  local began = core.now()
  llm.run(function() llm.sleep(0.2) end)
  local took = core.now() - began
  check("a sleep of 0.2 s", took >= 0.2 and took < 0.4, took)
end

print(_VERSION, "libcurl " .. core.curl_version)
check("no descriptor", llm.loop():fd() == nil)
local reply, err = client:chat({ messages = messages })
check("a chat", reply and reply:text() == "1 2 3", err)
streams()
tasks()
files()
failures()
clocks()
llm.loop():close()
