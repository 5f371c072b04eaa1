-- rounds.lua: what the programs on coroutine schedulers (copas.lua, cqueues.lua) share: a client, calls that count
-- words, and a round of a task beside the scheduler's own coroutines.
local llm = require "llm_gateway"

local M = {}

M.client = llm.new({ base_url = os.getenv("URL"), api_key = "gw_dev", max_retries = 0 })

-- How many numbers the answer to "Count to 20" has: 20.
function M.count_words()
  local reply = llm.assert(llm.assert(M.client:chat({
    messages = { { role = "user", content = "Count to 20" } }, stream = true,
  })):collect())
  return select(2, reply:text():gsub("%d+", ""))
end

-- A task and three coroutines call side by side, and one more ticks beside them. host: spawn(fn) makes a coroutine,
-- pause(seconds) waits in one, drive() runs all until they have ended.
function M.round(host)
  local ticks, words, over = 0, 0, false
  local task = llm.spawn(M.count_words)
  for _ = 1, 3 do
    host.spawn(function()
      local counted = M.count_words()
      words = words + counted
    end)
  end
  host.spawn(function()
    while not over do
      host.pause(0.005)
      ticks = ticks + 1
      over = words == 60 and task:status() == "done"
    end
  end)
  host.drive()
  assert(words == 60 and task:join() == 20)
  assert(ticks > 10, "the other coroutine ticked only " .. ticks .. " times")
end

return M
