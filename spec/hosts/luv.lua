-- luv.lua: a program on libuv's loop: work twice, a timer that ticks beside it, a task that is cancelled.
local uv = require "luv"
local llm = require "llm_gateway"

local client = llm.new({ base_url = os.getenv("URL"), api_key = "gw_dev", max_retries = 0 })
require("llm_gateway.loop.luv").attach({ uv = uv })

local function count_words()
  local stream, words = llm.assert(client:chat({
    messages = { { role = "user", content = "Count to 20" } }, stream = true,
  })), 0
  local chunk = stream:next()
  while chunk do
    words = words + 1
    chunk = stream:next()
  end
  return words
end

local function round()
  local tasks, ticks = {}, 0
  for i = 1, 5 do tasks[i] = llm.spawn(count_words) end
  local ticker = uv.new_timer()
  ticker:start(0, 5, function()
    ticks = ticks + 1
    if ticks == 3 then tasks[5]:cancel() end
    if tasks[1]:status() ~= "pending" then ticker:close() end
  end)
  uv.run()
  for i = 1, 4 do assert(tasks[i]:status() == "done" and tasks[i]:join() == 22) end
  assert(tasks[5]:status() == "cancelled")
  assert(ticks > 10, "the timer ticked only " .. ticks .. " times")
end

local function forget()
  client:chat({ messages = { { role = "user", content = "Count to 500" } }, stream = true })
  local timer = uv.new_timer()
  timer:start(50, 0, function()
    timer:close()
    collectgarbage()
    collectgarbage()
  end)
  uv.run()
  assert(not llm.pending())
end

local function close_loop()
  local loop = llm.new_loop()
  require("llm_gateway.loop.luv").attach({ uv = uv, loop = loop })
  local own = llm.new({ base_url = os.getenv("URL"), api_key = "gw_dev", loop = loop })
  local stream = llm.assert(own:chat({ messages = { { role = "user", content = "Count to 500" } }, stream = true }))
  stream:next()
  loop:close()
  uv.run()
  assert(select(2, stream:next()).kind == "cancelled")
end

-- Two plugins attach one loop: the first to leave does not take the other's tasks with it.
local function attach_twice()
  local first = require("llm_gateway.loop.luv").attach({ uv = uv })
  local second = require("llm_gateway.loop.luv").attach({ uv = uv })
  first.close()
  local task = llm.spawn(count_words)
  uv.run()
  assert(task:status() == "done" and task:join() == 22)
  second.close()
end

round()
round()
attach_twice()
forget()
close_loop()
print("both rounds ended")
