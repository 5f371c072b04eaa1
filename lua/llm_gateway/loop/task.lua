-- loop/task.lua: the task object that a user holds: join, cancel, on_done, status.
-- What its coroutine does is in coroutines.lua.

local coroutines = require("llm_gateway.loop.coroutines")
local state = require("llm_gateway.loop.state")
local wait = require("llm_gateway.loop.wait")

local unpack = table.unpack or unpack -- luacheck: read globals unpack

local Task = {}
Task.__index = Task

local function check_task(self, name)
  if getmetatable(self) == Task then return end
  error(("%s: expected a task, got %s (is it task:%s()?)"):format(name, type(self), name), 3)
end

-- Somebody hears how the task ends: then nobody else has to be told.
local function mark_heard(task)
  task.heard = true
  if task.group then task.group.failed[task] = nil end
end

local function check_join(self, running)
  if running == self then error("a task cannot join itself", 3) end
  if running then return end
  wait.refuse_inside("join", 3)
  if self.loop.stepping and not self.outcome then error("join: the loop is being stepped", 3) end
end

-- Waits for the end of the task. Returns what its function returned; nil, err when it raised (the same table
-- if that is one of ours, else one of kind `task` with message, cause and traceback) or was cancelled.
-- In a task the others go on; elsewhere the loop is stepped. Raises from a coroutine inside a task, and where the
-- running task cannot yield.
function Task:join()
  check_task(self, "join")
  local running = coroutines.current_yielding()
  check_join(self, running)
  mark_heard(self)
  while not self.outcome do
    if running then
      self.joiners = self.joiners or {}
      table.insert(self.joiners, running)
      coroutines.park(running, self)
    else
      wait.block(self.loop, nil, 2)
    end
  end
  return unpack(self.results, 1, self.results.n)
end

-- Raises the `cancelled` error where the task waits, and at each later wait; what it waits for is closed at
-- once. A task that has not started never does. Does nothing to one that has ended. Returns the task.
function Task:cancel()
  check_task(self, "cancel")
  if self.outcome or self.cancelled then return self end
  coroutines.wake(self, self.waits_on)
  self.cancelled = true
  if self.source then self.source:close() end
  return self
end

-- Has fn called with what join returns, by the loop and outside any task, once the task has ended; at once if it has.
-- Whoever asks for that hears of a failure, as by join. fn cannot yield. Returns the task.
function Task:on_done(fn)
  check_task(self, "on_done")
  if type(fn) ~= "function" then error("on_done: expected a function, got " .. type(fn), 2) end
  mark_heard(self)
  if self.outcome then
    state.call(self.loop, fn, unpack(self.results, 1, self.results.n))
  else
    self.callbacks = self.callbacks or {}
    table.insert(self.callbacks, fn)
  end
  return self
end

-- "pending" (it has not started or waits), "running", "done", "failed" or "cancelled".
function Task:status()
  check_task(self, "status")
  if self.outcome then return self.outcome end
  return coroutines.control.task == self and "running" or "pending"
end

function Task:__tostring()
  return "task (" .. self:status() .. ")"
end

-- A task of the loop with the record `loop` that will call fn(...) from the next step on. It belongs to `group`, if
-- there is one.
local function start(loop, group, fn, ...)
  local task = coroutines.init(setmetatable({ loop = loop, group = group }, Task), fn, ...)
  state.adopt(loop, task)
  return task
end

return { start = start }
