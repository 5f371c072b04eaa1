-- loop/step.lua: one step of a loop: I/O, then what is due among tasks and sleepers.
-- Nothing here waits but the core's own step.

local core = require("llm_gateway.core")
local coroutines = require("llm_gateway.loop.coroutines")
local state = require("llm_gateway.loop.state")

local resume = coroutines.resume
local CHUNKS_A_TURN, READY_AT_ONCE = state.CHUNKS_A_TURN, state.READY_AT_ONCE

local M = {}

-- ---------------------------------------------------------------------------------------------------------
-- Who goes on

local function wake_sleepers(loop)
  if not loop.timers[1] then return end
  local now = core.now()
  local wake = loop.timers:due(now)
  while wake do
    wake()
    wake = loop.timers:due(now)
  end
end

-- Of a thousand streams each event comes here: so this is what wake() does, without a call for each.
local function wake_waiters(loop)
  local ready, waiters, queue = loop.ready, loop.waiters, loop.queue
  repeat
    local count = loop.core:ready(ready, READY_AT_ONCE)
    for i = 1, count do
      local id = ready[i]
      local waiter = waiters[id]
      if waiter and waiter.waits_on == id then
        local last = loop.last + 1
        queue[last] = waiter
        loop.last, waiter.waits_on, waiters[id] = last, false, nil
      else
        state.wake_hosts(loop)
      end
    end
  until count < READY_AT_ONCE
end

-- Resumes those that were ready when the turn began, one at least, while there is time.
local function take_turn(loop, deadline)
  local queue, last = loop.queue, loop.last
  loop.deadline, loop.resumer = deadline, coroutine.running()
  while loop.first <= last do
    local first = loop.first
    local ready = queue[first]
    queue[first] = nil
    loop.first = first + 1
    loop.allowance = CHUNKS_A_TURN
    resume(ready)
    if deadline and core.now() >= deadline then break end
  end
  if loop.first > loop.last then loop.first, loop.last = 1, 0 end -- else the queue's places would become hashed keys
end

-- Memory ran out in a step, so that some task may have lost its turn or its end: all look again.
local function mend(loop)
  loop.timers:mend()
  for _, task in ipairs(state.live_tasks(loop)) do coroutines.mend(task) end
  loop.shaken = false
end

-- Failures of tasks that nobody has joined by the end of the step.
local function report_failures(loop)
  local failed = loop.failed
  if not failed[1] then return end
  loop.failed = {}
  for _, task in ipairs(failed) do
    if not task.heard then state.report(loop, task.results[2], task) end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- A step

-- How long I/O may wait: not at all while tasks are ready, nor past the first sleeper's moment.
local function longest_wait(loop, timeout)
  if loop.shaken or loop.first <= loop.last then return 0 end
  local moment = loop.timers[1] and loop.timers:next_moment()
  local nap = moment and math.max(0, moment - core.now())
  if nap and (not timeout or nap < timeout) then return nap end
  return timeout
end

-- The descriptor knows nothing of tasks and sleepers; the alarm, which the core's step unsets, stands for them.
local function set_alarm(loop)
  loop.core:alarm(longest_wait(loop, nil))
end

local function turn(loop, timeout, budget)
  loop.stepping = true
  if loop.shaken then mend(loop) end
  local deadline = budget and timeout == 0 and core.now() + budget
  loop.core:step(longest_wait(loop, timeout), budget)
  if budget then deadline = deadline or core.now() + budget end
  wake_sleepers(loop)
  wake_waiters(loop)
  take_turn(loop, deadline)
end

-- The same outside of a turn, which would notice that memory ran out.
local function wake_between_turns(loop)
  local shaken = loop.shaken
  loop.shaken = true
  wake_waiters(loop)
  loop.shaken = shaken
end

-- I/O alone: who waits for what came is told, and resumed later. (A step waits for nothing while some are not told.)
local function io(loop, timeout)
  wake_between_turns(loop)
  loop.core:step(timeout)
  wake_between_turns(loop)
  if not loop.stepping then set_alarm(loop) end
end

-- Whether waiting without a limit could never end.
local function is_deadlocked(loop)
  wake_between_turns(loop) -- of transfers that were closed since the last step
  return loop.first > loop.last and not loop.timers:next_moment() and loop.core:running() == 0
end

local function after_turn(loop)
  set_alarm(loop)
  report_failures(loop)
  if loop.closed then return false end -- by on_error
  if state.pending(loop) then return true end
  state.mark_idle(loop)
  return false
end

local function idle_step(loop)
  io(loop, 0)
  state.mark_idle(loop)
  return false
end

-- Does what is due: I/O, then tasks. Waits up to `timeout` seconds for something to do (nil: as long as it takes; 0:
-- not at all). `budget` in seconds bounds the work, to within one chunk or one reply. Returns whether work is pending;
-- raises, at `level` above the caller, where it would wait for ever.
function M.step(loop, timeout, budget, level)
  if loop.stepping then
    io(loop, 0)
    return state.pending(loop)
  end
  if not state.pending(loop) then return idle_step(loop) end
  if not timeout and is_deadlocked(loop) then
    error("deadlock: every task waits for another one, and nothing else is under way", level + 1)
  end
  local outer = coroutines.control.task
  local ok, err = pcall(turn, loop, timeout, budget)
  loop.stepping, loop.deadline, loop.resumer, coroutines.control.task = false, nil, nil, outer
  loop.shaken = loop.shaken or not ok
  if loop.closed then return false end
  if ok then return after_turn(loop) end
  set_alarm(loop)
  error(err, 0)
end

M.io = io

return M
