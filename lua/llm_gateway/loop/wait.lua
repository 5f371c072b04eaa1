-- loop/wait.lua: how calls, streams and the loop's users wait, and how they hear that they need not.
-- Adds these to the loop's methods, and is the one place that waits. Leans on loop.lua, task.lua and the core's clock.

local core = require("llm_gateway.core")
local loops = require("llm_gateway.loop")
local task = require("llm_gateway.loop.task")

local Loop = loops.methods

-- Lets time pass outside a task, until something may have happened. Inside a task (in a coroutine of the
-- user's own), and in a callback while the loop is being stepped, only I/O goes on. In a coroutine of a
-- host's scheduler, host_wait (set by an adapter) waits there, until host_wake is called by a step of whoever's,
-- and returns true.
function Loop:block(timeout)
  if self.stepping or task.inside() then return self:step_io(timeout) end
  if self.host_wait and self.host_wait(self, timeout) then
    if not self.closed then self:step(0) end
  elseif self:pending() then
    self:step(timeout)
  else
    self:step_io(timeout)
  end
end

local function nap(self, running, moment)
  local entry = self.timers:add(moment, function() task.wake(running, moment) end)
  local going_on = task.suspend(running, moment)
  entry.value = nil
  if not going_on then error(task.cancelled_error(), 0) end
end

-- Waits for `seconds`, or until over(what) is true, for which it looks whenever it is woken (see rouse).
function Loop:rest(seconds, over, what)
  local running, moment = task.current(), core.now() + seconds
  repeat
    if running then nap(running.loop, running, moment) else self:block(math.max(0, moment - core.now())) end
  until core.now() >= moment or (over and over(what))
end

-- Before anything is asked of the loop. Raises when a task of another loop is running, which would stand still
-- meanwhile; and in a cancelled task, before anything is sent, having closed `source` if there is one.
function Loop:enter(level, source)
  local running = task.current()
  if running and running.cancelled then task.park(running, nil, source) end
  if running and running.loop ~= self then
    error("this client belongs to another loop than the running task: give llm.new{loop = ...} that task's loop",
      level + 1)
  end
  if self.closed then error("the loop is closed", level + 1) end
end

local function wait_for(self, transfer, source)
  local running = task.current()
  if not running then return self:block() end
  local id = transfer:id()
  local other = self.waiters[id]
  if other and other.waits_on == id then error("another task waits for this stream already", 0) end
  self.waiters[id] = running
  local going_on = task.suspend(running, id, source)
  self.waiters[id] = nil
  if not going_on then error(task.cancelled_error(), 0) end
end

-- Calls pull(source) until it has something, and returns what it returned: first of all, not false. `transfer`
-- is what has to bring it. A task yields meanwhile, and source:close() is called should it be cancelled;
-- anything else blocks.
function Loop:await(transfer, source, pull)
  local first, second, third = pull(source)
  while first == false do
    wait_for(self, transfer, source)
    first, second, third = pull(source)
  end
  return first, second, third
end

-- Called before each chunk of `source` is handed over: gives the other tasks their turn once this one had its own.
function Loop:take_breath(source)
  local running = task.current()
  if not running then return end
  self.allowance = self.allowance - 1
  if self.allowance <= 0 or (self.deadline and core.now() >= self.deadline) then task.pass(running, source) end
end

-- Something has changed that a task may be resting for (see Loop:rest): all look again at what they wait for.
function Loop:rouse()
  for live in pairs(self.live) do task.wake(live, live.waits_on) end
  if self.host_wake then self.host_wake() end
end

-- A transfer is closed while a task may be waiting for it: that task must look again.
function Loop:disturb(transfer)
  local id = transfer:id()
  local waiter = self.waiters[id]
  if waiter then task.wake(waiter, id) end
end

return Loop
