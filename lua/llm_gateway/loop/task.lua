-- loop/task.lua: tasks, which are coroutines that a loop resumes.
-- The only file that yields and the only one that resumes. Leans on errors.lua. A loop (loop.lua) gives it
-- `enqueue(task)`, `finished(task)`, `call(fn, ...)` and `block()`; it never touches a transfer itself.
--
-- Memory may run out at any call. So a task may be resumed although nothing woke it (whoever waits looks again),
-- and its end is written down in steps that `mend` can take up where they stopped.

local errors = require("llm_gateway.errors")

local unpack = table.unpack or unpack -- luacheck: read globals unpack

local Task = {}
Task.__index = Task

local PARKED = {} -- what a task of ours yields; any other yield is the user's own
local tasks = setmetatable({}, { __mode = "kv" }) -- by coroutine; their loop has them too
local control = {} -- control.task: the one whose coroutine, or one that it resumed, is running

-- The task whose coroutine is running, or nil: not the one that resumed some other coroutine.
local function current()
  local co = coroutine.running()
  return co and tasks[co]
end

-- Whether the running coroutine is a task or was resumed, directly or not, by one.
local function inside()
  if not control.task then return false end
  local co, is_main = coroutine.running()
  return co ~= nil and not is_main and co ~= control.task.resumed_by
end

local function pack(...)
  return { n = select("#", ...), ... }
end

-- Where coroutines may yield: PUC 5.1 allows it neither inside a generic `for` nor inside pcall.

local for_can_yield = coroutine.resume(coroutine.create(function()
  local function once(_, last) return not last and coroutine.yield() or nil end
  for _ in once do coroutine.yield() end
end))

local pcall_can_yield = coroutine.resume(coroutine.create(function() assert(pcall(coroutine.yield)) end))

-- ---------------------------------------------------------------------------------------------------------
-- Waiting

-- Gives control back to the loop until wake(task, on). Returns true, or false when the task is cancelled.
-- `on` is whatever it waits for; `source`, if given, is closed when the task is cancelled, or was before.
local function suspend(task, on, source)
  if task.cancelled then
    if source then source:close() end
    return false
  end
  task.waits_on, task.source = on, source
  coroutine.yield(PARKED)
  task.waits_on, task.source = nil, nil
  return not task.cancelled
end

-- The error a cancelled task meets at each wait.
local function cancelled_error()
  return errors.new({ kind = "cancelled", message = "the task was cancelled" })
end

-- As suspend, but raises the `cancelled` error.
local function park(task, on, source)
  if not suspend(task, on, source) then error(cancelled_error(), 0) end
end

-- Has the loop resume a task, if it still waits on `on`.
local function wake(task, on)
  if task.waits_on ~= on or on == nil then return end
  task.loop:enqueue(task)
  task.waits_on = nil
end

-- Lets the others go on: the task is resumed again at the next step. Of `source`, see suspend.
local function pass(task, source)
  if not task.cancelled then task.loop:enqueue(task) end
  park(task, nil, source)
end

-- ---------------------------------------------------------------------------------------------------------
-- Ends

-- A value's own __tostring may raise.
local function text_of(cause)
  local ok, text = pcall(tostring, cause)
  return ok and text or ("(an error that is a %s)"):format(type(cause))
end

local function error_of(task, cause)
  if errors.is(cause) then return cause end
  local text = text_of(cause)
  return errors.new({
    kind = "task",
    message = text,
    cause = cause,
    traceback = text .. (task.trace or debug.traceback(task.co, "")),
  })
end

local function settle(task, ok, ...)
  if task.cancelled then
    task.results, task.outcome = pack(nil, cancelled_error()), "cancelled"
  elseif ok then
    task.results, task.outcome = pack(...), "done"
  else
    task.cause = ...
    task.results, task.outcome = pack(nil, error_of(task, (...))), "failed"
  end
end

local function close_books(task)
  for _, joiner in ipairs(task.joiners) do wake(joiner, task) end
  while task.callbacks[1] do
    task.loop:call(task.callbacks[1], unpack(task.results, 1, task.results.n))
    table.remove(task.callbacks, 1)
  end
  tasks[task.co] = nil -- before 5.2 a weak key that its value refers to is never collected
  task.loop:finished(task)
  task.joiners, task.callbacks, task.co, task.args = nil, nil, nil, nil
end

local function finish(task, ...)
  settle(task, ...)
  close_books(task)
end

-- Whatever a task was about when memory ran out in the loop: it ends, or looks again at what it waits for.
local function mend(task)
  if task.outcome then return close_books(task) end
  if coroutine.status(task.co) == "dead" then return finish(task, false, "not enough memory") end
  task.loop:enqueue(task)
end

local function after_resume(task, ok, ...)
  if coroutine.status(task.co) ~= "dead" then
    if (...) ~= PARKED then task.loop:enqueue(task) end
    return
  end
  if not ok then return finish(task, false, ...) end
  return finish(task, ...)
end

local function resume_coroutine(task)
  if task.started then return coroutine.resume(task.co) end
  task.started = true
  return coroutine.resume(task.co, unpack(task.args, 1, task.args.n))
end

-- Runs a task until it waits or ends. Only the loop calls this, and never while a task runs.
local function resume(task)
  if task.outcome then return end
  if task.cancelled and not task.started then return finish(task) end
  local outer = control.task -- of another loop, whose host stepped this one
  task.resumed_by = coroutine.running()
  control.task = task
  local function back(...)
    control.task = outer
    return after_resume(task, ...)
  end
  return back(resume_coroutine(task))
end

-- ---------------------------------------------------------------------------------------------------------
-- What a user holds

local function check_task(self, name)
  if getmetatable(self) == Task then return end
  error(("%s: expected a task, got %s (is it task:%s()?)"):format(name, type(self), name), 3)
end

-- Waits for the end of the task. Returns what its function returned; nil, err when it raised (the same table
-- if that is one of ours, else one of kind `task` with message, cause and traceback) or was cancelled.
-- In a task the others go on; elsewhere the loop is stepped. Raises from a coroutine inside a task.
function Task:join()
  check_task(self, "join")
  local task = current()
  if task == self then error("a task cannot join itself", 2) end
  if not task then
    self.loop:refuse_inside("join", 2)
    if self.loop.stepping and not self.outcome then error("join: the loop is being stepped", 2) end
  end
  self.joined = true
  if self.group then self.group.failed[self] = nil end
  while not self.outcome do
    if task then
      table.insert(self.joiners, task)
      park(task, self)
    else
      self.loop:block()
    end
  end
  return unpack(self.results, 1, self.results.n)
end

-- Raises the `cancelled` error where the task waits, and at each later wait; what it waits for is closed at
-- once. A task that has not started never does. Does nothing to one that has ended. Returns the task.
function Task:cancel()
  check_task(self, "cancel")
  if self.outcome or self.cancelled then return self end
  wake(self, self.waits_on)
  self.cancelled = true
  if self.source then self.source:close() end
  return self
end

-- Has fn called with what join returns, by the loop and outside any task, once the task has ended; at once
-- if it has. Returns the task.
function Task:on_done(fn)
  check_task(self, "on_done")
  if type(fn) ~= "function" then error("on_done: expected a function, got " .. type(fn), 2) end
  if self.outcome then
    self.loop:call(fn, unpack(self.results, 1, self.results.n))
  else
    table.insert(self.callbacks, fn)
  end
  return self
end

-- "pending" (it has not started or waits), "running", "done", "failed" or "cancelled".
function Task:status()
  check_task(self, "status")
  if self.outcome then return self.outcome end
  return control.task == self and "running" or "pending"
end

function Task:__tostring()
  return "task (" .. self:status() .. ")"
end

local function on_raise(cause)
  if not errors.is(cause) then control.task.trace = debug.traceback("", 2) end
  return cause
end

-- What a task's coroutine runs: returns true and what fn returns, or false and what it raised. A coroutine that
-- ends by an error leaves its `<close>` variables open: so the error is caught inside, where that can be done.
local function body(fn, ...)
  if pcall_can_yield then return xpcall(fn, on_raise, ...) end
  return true, fn(...)
end

-- A task of `loop` that will call fn(...). It belongs to the group of the task that makes it, if any.
local function new(loop, group, fn, ...)
  local task = setmetatable({
    loop = loop, group = group, co = coroutine.create(body), args = pack(fn, ...), joiners = {}, callbacks = {},
    started = false, cancelled = false,
  }, Task)
  tasks[task.co] = task
  return task
end

return {
  for_can_yield = for_can_yield, pcall_can_yield = pcall_can_yield,
  new = new, current = current, inside = inside, control = control, resume = resume, mend = mend,
  suspend = suspend, park = park, wake = wake, pass = pass, cancelled_error = cancelled_error,
}
