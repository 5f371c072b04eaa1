-- loop/wait.lua: how calls, streams and the loop's users wait, and how they hear that they need not.
-- In a task a wait yields; anywhere else it steps the loop, or has a host's scheduler wait.

local core = require("llm_gateway.core")
local coroutines = require("llm_gateway.loop.coroutines")
local lazy = require("llm_gateway.lazy")
local state = require("llm_gateway.loop.state")
local step = require("llm_gateway.loop.step")

local host = lazy("llm_gateway.loop.host") -- loaded by the first adapter

local M = {}

local control, current_yielding, suspend = coroutines.control, coroutines.current_yielding, coroutines.suspend

-- Whether nothing but transfers can have anything to do: then a wait needs no step of the whole loop.
local function has_transfers_alone(loop)
  return loop.tasks == 0 and not loop.timers[1] and not loop.hosts[1] and not control.task and not loop.stepping
    and not loop.failed[1] and not loop.shaken
end

-- Lets time pass outside a task, until something may have happened, or for `timeout` seconds (nil: no limit). Inside a
-- task (in a coroutine of the user's own, or where a task cannot yield), and in a callback while the loop is being
-- stepped, only I/O goes on. Coroutines of a host's scheduler wait there. Raises, at `level` (1) above the caller,
-- where it would wait for ever.
local function block(loop, timeout, level)
  local left = has_transfers_alone(loop) and loop.core:wait(timeout)
  if left then
    if left == 0 then state.mark_idle(loop) end
  elseif loop.stepping or coroutines.inside() then
    step.io(loop, timeout)
  elseif loop.hosts[1] and host.wait(loop, timeout) then
    if not loop.closed then step.step(loop, 0, nil, 1) end
  elseif state.pending(loop) then
    step.step(loop, timeout, nil, (level or 1) + 1)
  else
    step.io(loop, timeout)
  end
end

M.block = block

-- Raises, at `level` above the caller, where `name` would wait for what only the running task can bring.
function M.refuse_inside(name, level)
  if not coroutines.inside() then return end
  error(("%s cannot be called inside a task%s"):format(name,
    coroutines.current() and "" or " from another coroutine"), level + 1)
end

local function nap(loop, running, moment)
  local entry = loop.timers:add(moment, function() coroutines.wake(running, moment) end)
  local going_on = coroutines.suspend(running, moment)
  entry.value = nil
  if not going_on then error(coroutines.cancelled_error(), 0) end
end

-- Waits for `seconds`, or until over(what) is true, for which it looks whenever it is woken (see wake_all).
function M.sleep_until(loop, seconds, over, what)
  local running, moment = coroutines.current_yielding(), core.now() + seconds
  repeat
    if running then nap(running.loop, running, moment) else block(loop, math.max(0, moment - core.now())) end
  until core.now() >= moment or (over and over(what))
end

-- Before anything is asked of the loop. Raises when a task of another loop is running, which would stand still
-- meanwhile; and in a cancelled task, before anything is sent, having closed `source` if there is one.
function M.enter(loop, level, source)
  local running = control.task and coroutines.current()
  if running and running.cancelled then coroutines.park(running, nil, source) end
  if running and running.loop ~= loop then
    error("this client belongs to another loop than the running task: give llm.new{loop = ...} that task's loop",
      level + 1)
  end
  if loop.closed then error("the loop is closed", level + 1) end
end

-- Before anything is sent. Raises where the task could not wait for the answer, and cannot know that otherwise.
function M.try_to_wait()
  if coroutines.try_to_yield then coroutines.try_to_yield() end
end

-- Waits until a transfer may have something new; `id` is its id, if that is known. Returns true; false in a task that
-- is cancelled, whose `source` is closed then (see end_cancelled). As many tasks wait here as streams are open: suspend
-- is a tail call, so that each needs less memory.
local function wait_for(loop, transfer, source, id)
  local running = control.task and current_yielding()
  if not running then
    block(loop)
    return true
  end
  id = id or transfer:id()
  local waiters = loop.waiters
  local other = waiters[id]
  if other and other.waits_on == id then error("another task waits for this stream already", 0) end
  waiters[id] = running
  return suspend(running, id, source)
end

M.wait_for = wait_for

-- Raises what a cancelled task meets.
local function end_cancelled()
  error(coroutines.cancelled_error(), 0)
end

M.end_cancelled = end_cancelled

-- Calls pull(source) until it has something, and returns what it returned: first of all, not false. `transfer` is what
-- has to bring it. A task yields meanwhile, and source:close() is called should it be cancelled; anything else blocks.
function M.await(loop, transfer, source, pull)
  local first, second, third, fourth, fifth = pull(source)
  while first == false do
    if not wait_for(loop, transfer, source) then end_cancelled() end
    first, second, third, fourth, fifth = pull(source)
  end
  return first, second, third, fourth, fifth
end

-- Gives the other tasks their turn once this one had its own: it has read as many chunks as it may, or the step's time
-- is over. Called before a chunk of `source` is handed over.
function M.yield_turn(loop, source)
  if loop.allowance > 0 and not (loop.deadline and core.now() >= loop.deadline) then return end
  local running = coroutines.current_yielding()
  if running then coroutines.pass(running, source) end
end

-- Something has changed that a task may be sleeping for (see sleep_until): all look again at what they wait for.
function M.wake_all(loop)
  for live in pairs(loop.live) do coroutines.wake(live, live.waits_on) end
  state.wake_hosts(loop)
end

-- A transfer is closed while a task may be waiting for it: that task must look again.
function M.wake_waiter(loop, transfer)
  local id = transfer:id()
  local waiter = loop.waiters[id]
  if waiter then coroutines.wake(waiter, id) end
end

return M
