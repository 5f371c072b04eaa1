-- cqueues.lua: a program on a cqueues controller: tasks, and calls made in its own coroutines, side by side.
local cqueues = require "cqueues"
local llm = require "llm_gateway"

local client = llm.new({ base_url = os.getenv("URL"), api_key = "gw_dev", max_retries = 0 })
local controller = cqueues.new()
require("llm_gateway.loop.cqueues").attach({ controller = controller })

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
    controller:wrap(function()
      local counted = count_words()
      words = words + counted
    end)
  end
  controller:wrap(function()
    while not over do
      cqueues.sleep(0.005)
      ticks = ticks + 1
      over = words == 60 and task:status() == "done"
    end
  end)
  assert(controller:loop(20))
  assert(controller:empty(), "the controller did not become empty")
  assert(words == 60 and task:join() == 20)
  assert(ticks > 10, "the other coroutine ticked only " .. ticks .. " times")
end

round()
round()
print("both rounds ended")
