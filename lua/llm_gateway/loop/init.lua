-- loop/init.lua: the loop object: drives transfers and resumes tasks. waiting.lua and concurrency.lua add to its
-- methods.
-- Leans on the C core for I/O, on task.lua for coroutines and on timers.lua. Knows no HTTP and no JSON.

local core = require("llm_gateway.core")
local task = require("llm_gateway.loop.task")
local timers = require("llm_gateway.loop.timers")

local CHUNKS_A_TURN = 64 -- what a task may read before the others get their turn
local OUT_OF_MEMORY = "not enough memory" -- what Lua raises then
local CLOSING_STEPS = 100 -- for cancelled tasks to end; one that catches every error could go on for ever

local Loop = {}
Loop.__index = Loop

local function check_loop(self, name)
  if getmetatable(self) ~= Loop then
    error(("%s: expected a loop, got %s (is it loop:%s()?)"):format(name, type(self), name), 3)
  end
  if self.closed then error(name .. ": the loop is closed", 3) end
end

-- Calls a user's function; what it raises goes to on_error, so that the loop goes on.
function Loop:call(fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then return end
  if err == OUT_OF_MEMORY then self.shaken = true end
  self:report(err)
end

local function write_to_stderr(err)
  local trace = type(err) == "table" and err.traceback or tostring(err)
  io.stderr:write("llm_gateway: a task failed, and nobody joined it: ", trace, "\n")
end

-- An error that nobody else will see.
function Loop:report(err, failed)
  local ok, second = pcall(self.on_error or write_to_stderr, err, failed)
  if not ok then io.stderr:write("llm_gateway: on_error raised: ", tostring(second), "\n") end
end

-- ---------------------------------------------------------------------------------------------------------
-- Work

-- Work has come: a host that polls only while the loop is busy must know.
function Loop:stir()
  if not self.stepping then self.core:alarm(0) end
  if self.busy then return end
  self.busy = true
  if self.on_busy then self:call(self.on_busy, self) end
end

local function settle_down(self)
  if not self.busy or self:pending() then return end
  self.busy = false
  if self.on_idle then self:call(self.on_idle, self) end
end

-- Puts a task at the end of the queue of those to resume.
function Loop:enqueue(waiting)
  self.queue[self.last + 1] = waiting
  self.last = self.last + 1
  if not self.stepping then self.core:alarm(0) end
end

-- Takes a new task in and has it resumed. What may fail comes first: a task is counted wholly or not at all.
function Loop:adopt(new)
  local group = new.group
  self:stir()
  self.queue[self.last + 1] = new
  self.live[new] = true
  self.last, self.tasks = self.last + 1, self.tasks + 1
  if group then group.count = group.count + 1 end
end

-- Whether there is work: tasks that have not ended, or transfers under way.
function Loop:pending()
  check_loop(self, "pending")
  return self.tasks > 0 or self.core:running() > 0
end

-- Raises, at `level` above the caller, where `name` would wait for what only the running task can bring.
function Loop.refuse_inside(_, name, level)
  if task.inside() then
    error(("%s cannot be called inside a task%s"):format(name,
      task.current() and "" or " from another coroutine"), level + 1)
  end
end

-- Somebody may yet join a failed task: a run asks at its end, for others it is asked at the end of the step.
local function note_failure(self, ended)
  local group = ended.group
  if not group then return table.insert(self.failed, ended) end
  group.failures = group.failures + 1
  group.failed[ended] = group.failures
end

-- A task has ended.
function Loop:finished(ended)
  local group = ended.group
  if ended.outcome == "failed" and not ended.joined then note_failure(self, ended) end
  self.tasks = self.tasks - 1
  self.live[ended] = nil
  if group then group.count = group.count - 1 end
  if self.host_wake then self.host_wake() end
end

local function report_failures(self)
  local failed = self.failed
  if not failed[1] then return end
  self.failed = {}
  for _, ended in ipairs(failed) do
    if not ended.joined then self:report(ended.results[2], ended) end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- A step

local function wake_sleepers(self)
  local now = core.now()
  local wake = self.timers:due(now)
  while wake do
    wake()
    wake = self.timers:due(now)
  end
end

local function wake_waiters(self)
  local id = self.core:ready()
  while id do
    local waiter = self.waiters[id]
    if waiter then task.wake(waiter, id) elseif self.host_wake then self.host_wake() end
    id = self.core:ready()
  end
end

-- Resumes those that were ready when the turn began, one at least, while there is time.
local function take_turn(self, deadline)
  self.deadline = deadline
  local last = self.last
  while self.first <= last do
    local ready = self.queue[self.first]
    self.queue[self.first] = nil
    self.first = self.first + 1
    self.allowance = CHUNKS_A_TURN
    task.resume(ready)
    if deadline and core.now() >= deadline then break end
  end
end

-- Memory ran out in a step, so that some task may have lost its turn or its end: all look again.
local function mend(self)
  self.timers:mend()
  for live in pairs(self.live) do task.mend(live) end
  self.shaken = false
end

-- How long I/O may wait: not at all while tasks are ready, nor past the first sleeper's moment.
local function longest_wait(self, timeout)
  if self.shaken or self.first <= self.last then return 0 end
  local moment = self.timers:next_moment()
  local nap = moment and math.max(0, moment - core.now())
  if nap and (not timeout or nap < timeout) then return nap end
  return timeout
end

-- The descriptor knows nothing of tasks and sleepers; the alarm stands for them.
local function set_alarm(self)
  self.core:alarm(longest_wait(self, nil))
end

local function turn(self, timeout, budget)
  self.stepping = true
  if self.shaken then mend(self) end
  local deadline = budget and timeout == 0 and core.now() + budget
  self.core:alarm()
  self.core:step(longest_wait(self, timeout), budget)
  if budget then deadline = deadline or core.now() + budget end
  wake_sleepers(self)
  wake_waiters(self)
  take_turn(self, deadline)
end

-- Waiting without a limit must be able to end.
local function refuse_deadlock(self, level)
  wake_waiters(self) -- of transfers that were closed since the last step
  if self.first > self.last and not self.timers:next_moment() and self.core:running() == 0 then
    error("deadlock: every task waits for another one, and nothing else is under way", level + 1)
  end
end

local function check_seconds(value, name)
  if value == nil or type(value) == "number" then return end
  error(("step: %s: expected seconds, got %s"):format(name, type(value)), 3)
end

-- I/O alone: who waits for what came is told, and resumed later. (A step waits for nothing while some are not told.)
function Loop:step_io(timeout)
  wake_waiters(self)
  self.core:alarm()
  self.core:step(timeout)
  wake_waiters(self)
end

-- Does what is due: I/O, then tasks. Waits up to `timeout` seconds for something to do (nil: as long as it
-- takes; 0: not at all); returns at once when nothing is pending. A `budget` in seconds is kept to within one
-- chunk or one reply. Returns whether work is pending. Raises inside a task; from a host's callback, called
-- while the loop is being stepped, it does I/O only.
function Loop:step(timeout, budget)
  check_loop(self, "step")
  check_seconds(timeout, "timeout")
  check_seconds(budget, "budget")
  self:refuse_inside("step", 2)
  if self.stepping then
    self:step_io(0)
    return self:pending()
  end
  if not self:pending() then
    self:step_io(0)
    settle_down(self)
    return false
  end
  if not timeout then refuse_deadlock(self, 2) end
  local outer = task.control.task
  local ok, err = pcall(turn, self, timeout, budget)
  self.stepping, self.deadline, task.control.task = false, nil, outer
  self.shaken = self.shaken or not ok
  if self.closed then return false end
  set_alarm(self)
  if not ok then error(err, 0) end
  report_failures(self)
  settle_down(self)
  return self:pending()
end

-- ---------------------------------------------------------------------------------------------------------
-- Life

-- The descriptor (a number) that is readable when step(0) has something to do; nil where there is none.
function Loop:fd()
  check_loop(self, "fd")
  return self.core:fd()
end

-- Cancels the tasks, lets them end, and closes every connection. The loop is of no use afterwards; its clients
-- and streams give errors. Raises inside a task and from a callback of a step.
function Loop:close()
  if getmetatable(self) ~= Loop then check_loop(self, "close") end
  if self.closed then return end
  self:refuse_inside("close", 2)
  if self.stepping then error("close: the loop is being stepped", 2) end
  for live in pairs(self.live) do live:cancel() end
  for _ = 1, CLOSING_STEPS do
    if self.tasks == 0 or not self.core:is_ours() then break end
    self:step(0)
  end
  if self.busy and self.on_idle then self:call(self.on_idle, self) end
  self.closed, self.busy = true, false
  self.core:close(self.host_wake ~= nil)
  if self.host_wake then self.host_wake() end
end

Loop.__close = Loop.close

function Loop:__tostring()
  return self.closed and "llm_gateway loop (closed)" or ("llm_gateway loop (%d tasks)"):format(self.tasks)
end

-- A new loop, independent of every other. Raises when the system has no descriptor left.
local function new()
  local self = {
    core = assert(core.loop()),
    queue = {}, first = 1, last = 0, -- tasks to resume
    waiters = setmetatable({}, { __mode = "v" }), -- tasks by the id of the transfer they wait for
    timers = timers.new(), -- wakers by the moment they are due
    tasks = 0, live = {}, failed = {},
    allowance = CHUNKS_A_TURN,
    stepping = false, busy = false, closed = false, shaken = false,
    on_error = write_to_stderr,
  }
  return setmetatable(self, Loop)
end

return { new = new, methods = Loop, check = check_loop }
