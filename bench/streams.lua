-- streams.lua: N streams at once in tasks; prints seconds, CPU seconds, events and the RSS per stream in kB.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"

local url, streams = arg[1], tonumber(arg[2])
local client = llm.new({ base_url = url, max_retries = 0 })
local request = { messages = { { role = "user", content = "x" } }, stream = true }
local events = 0

local function rss()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmRSS:%s+(%d+)")
    if kb then return tonumber(kb) end
  end
end

local function read()
  local stream = llm.assert(client:chat(request))
  local chunk, err = stream:next()
  while chunk do
    events = events + 1
    chunk, err = stream:next()
  end
  if err then error(err, 0) end
end

local before, most = rss(), 0
local started = core.now()
llm.run(function()
  for _ = 1, streams do llm.spawn(read) end
  llm.spawn(function()
    for _ = 1, 4 do
      llm.sleep(1)
      most = math.max(most, rss())
    end
  end)
end)
print(("%.3f %.3f %d %.1f"):format(core.now() - started, os.clock(), events, (most - before) / streams))
