-- loop/init.lua: the loop object: drives transfers and resumes tasks.
-- It has eight methods (fd, step, pending, spawn, run, sleep, map, close) and three fields for functions of the user's:
--   on_busy(loop)       work has come, and the loop wants to be driven
--   on_idle(loop)       no work is left
--   on_error(err, task) a task failed and nobody heard it (default: prints to stderr)
-- All else lies in its record, which the other files of this room know; a client's configuration holds that record.

local lazy = require("llm_gateway.lazy")
local state = require("llm_gateway.loop.state")

local schema = lazy("llm_gateway.schema")
local step = lazy("llm_gateway.loop.step")
local tasks = lazy("llm_gateway.loop.tasks")
local wait = lazy("llm_gateway.loop.wait")

local CLOSING_STEPS = 100 -- for cancelled tasks to end; one that catches every error could go on for ever

local RECORD = {} -- the key of a loop object's record: no name that a user could meet

local Loop = {}
Loop.__index = Loop

-- The record of a loop object; nil when the value is none.
local function record_of(value)
  return getmetatable(value) == Loop and value[RECORD] or nil
end

-- The record of an open loop; raises two levels up otherwise.
local function check(self, name)
  local loop = record_of(self)
  if not loop then error(("%s: expected a loop, got %s (is it loop:%s()?)"):format(name, type(self), name), 3) end
  if loop.closed then error(name .. ": the loop is closed", 3) end
  return loop
end

local function check_seconds(value, name)
  if value == nil or type(value) == "number" then return end
  error(("step: %s: expected seconds, got %s"):format(name, type(value)), 3)
end

-- The descriptor (a number) that is readable when step(0) has something to do; nil where there is none.
function Loop:fd()
  return check(self, "fd").core:fd()
end

-- Whether there is work: tasks that have not ended, or transfers under way.
function Loop:pending()
  return state.pending(check(self, "pending"))
end

-- Does what is due: I/O, then tasks. Waits up to `timeout` seconds for something to do (nil: as long as it
-- takes; 0: not at all); returns at once when nothing is pending. A `budget` in seconds is kept to within one
-- chunk or one reply. Returns whether work is pending. Raises inside a task; from a host's callback, called
-- while the loop is being stepped, it does I/O only.
function Loop:step(timeout, budget)
  local loop = check(self, "step")
  check_seconds(timeout, "timeout")
  check_seconds(budget, "budget")
  wait.refuse_inside("step", 2)
  local more = step.step(loop, timeout, budget, 2) -- no tail call: it would lose the caller's line
  return more
end

-- Makes a task that calls fn(...) from the next step on. Returns the task. May be called anywhere.
function Loop:spawn(fn, ...)
  local task = tasks.spawn(check(self, "spawn"), 2, fn, ...)
  return task
end

-- Waits for `seconds`. In a task the others go on; elsewhere the loop is stepped.
function Loop:sleep(seconds)
  tasks.sleep(check(self, "sleep"), 2, seconds)
end

-- What a function returned, as it stands; a tail call would lose the caller's line.
local function returned(...) return ... end

-- Runs fn(...) as a task, and steps the loop until it and all the tasks it spawned have ended. Returns what fn
-- returned. Raises again what fn raised, else what the first task raised that nobody joined.
function Loop:run(fn, ...)
  return returned(tasks.run(check(self, "run"), 2, fn, ...))
end

-- Calls fn(item, index) for each item of the list in tasks of their own. Options: concurrency (8), stop_on_error.
-- Returns the results by index, with their number as `n`, and the errors by index or nil.
function Loop:map(list, options, fn)
  local results, errors = tasks.map(check(self, "map"), 2, list, options, fn)
  return results, errors
end

-- ---------------------------------------------------------------------------------------------------------
-- Life

local function end_tasks(self, loop)
  for _, task in ipairs(state.live_tasks(loop)) do task:cancel() end
  for _ = 1, CLOSING_STEPS do
    if loop.tasks == 0 or not loop.core:is_ours() then return end
    self:step(0)
  end
end

-- Cancels the tasks, lets them end, and closes every connection. The loop is of no use afterwards; its clients
-- and streams give errors. Raises inside a task and from a callback of a step.
function Loop:close()
  local loop = record_of(self) or check(self, "close")
  if loop.closed then return end
  wait.refuse_inside("close", 2)
  if loop.stepping then error("close: the loop is being stepped", 2) end
  end_tasks(self, loop)
  state.mark_idle(loop)
  loop.closed = true
  loop.core:close(loop.hosts[1] ~= nil)
  state.wake_hosts(loop)
end

Loop.__close = Loop.close

function Loop:__tostring()
  local loop = self[RECORD]
  return loop.closed and "llm_gateway loop (closed)" or ("llm_gateway loop (%d tasks)"):format(loop.tasks)
end

-- A new loop, independent of every other. Raises when the system has no descriptor left.
local function new()
  local self = { on_error = state.write_to_stderr }
  self[RECORD] = state.new(self)
  return setmetatable(self, Loop)
end

local default

-- This Lua state's default loop; a new one once that is closed.
local function default_loop()
  if not default or default[RECORD].closed then default = new() end
  return default
end

-- What an adapter's attach is given: the loop in its options (the default one) and its record. Raises at `level` above
-- the caller over an option that is not among `names`, and over a loop that is none.
local function to_attach(options, names, level)
  schema.only(options, names, "attach", level + 1)
  local loop = options.loop or default_loop()
  return loop, record_of(loop) or error("attach: loop: expected a loop of llm.new_loop()", level + 1)
end

return { new = new, default = default_loop, record_of = record_of, to_attach = to_attach }
