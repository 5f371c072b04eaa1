-- copas.lua: a program on copas: a task, and calls made in its own threads, side by side with one that ticks.
local copas = require "copas"
local llm = require "llm_gateway"

local client = llm.new({ base_url = os.getenv("URL"), api_key = "gw_dev", max_retries = 0 })
local first = require("llm_gateway.loop.copas").attach()
local second = require("llm_gateway.loop.copas").attach({ loop = llm.loop() })
first.close()

local function count_words()
  local reply = llm.assert(llm.assert(client:chat({
    messages = { { role = "user", content = "Count to 20" } }, stream = true,
  })):collect())
  return select(2, reply:text():gsub("%d+", ""))
end

local function round()
  local ticks, words, over = 0, 0, false
  local task = llm.spawn(count_words)
  for _ = 1, 3 do
    copas.addthread(function()
      local counted = count_words()
      words = words + counted
    end)
  end
  copas.addthread(function()
    while not over do
      copas.pause(0.005)
      ticks = ticks + 1
      over = words == 60 and task:status() == "done"
    end
  end)
  copas.loop()
  assert(words == 60 and task:join() == 20)
  assert(ticks > 10, "the other thread ticked only " .. ticks .. " times")
end

round()
round()
second.close()
print("both rounds ended")
