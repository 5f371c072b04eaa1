-- loop/coroutines.lua: how a task, which is a coroutine that the loop resumes, waits, goes on and ends.
-- The only file that yields and the only one that resumes. It never touches a transfer; task.lua has what a user holds.
--
-- Memory may run out at any call. So a task may be resumed although nothing woke it (whoever waits looks again), and
-- its end is written down in steps that `mend` can take up where they stopped.

local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")
local state = require("llm_gateway.loop.state")

local stack = not coroutine.isyieldable and require("llm_gateway.loop.stack")

local unpack = table.unpack or unpack -- luacheck: read globals unpack

local running, yield, enqueue = coroutine.running, coroutine.yield, state.enqueue

local PARKED, TRIED = {}, {} -- what a task of ours yields; any other yield is the user's own
local control = {} -- control.task: the one whose coroutine, or one that it resumed, is running
local tasks = setmetatable({}, { __mode = "kv" }) -- by coroutine; their loop has them too

-- The task whose coroutine is running, or nil: not the one that resumed some other coroutine. Most often it is the
-- loop that has resumed it; where somebody else did, control.task does not tell.
local function current()
  local task, co = control.task, running()
  if task and task.co == co then return task end
  return co and tasks[co]
end

-- Whether the running coroutine is a task or was resumed, directly or not, by one.
local function inside()
  if not control.task then return false end
  local co, is_main = running()
  return co ~= nil and not is_main and co ~= control.task.loop.resumer
end

local function pack(...)
  return { n = select("#", ...), ... }
end

-- ---------------------------------------------------------------------------------------------------------
-- Where coroutines may yield: PUC 5.1 allows it neither inside a generic `for` nor inside pcall.

local for_can_yield = coroutine.resume(coroutine.create(function()
  local function once(_, last) return not last and coroutine.yield() or nil end
  for _ in once do coroutine.yield() end
end))

local pcall_can_yield = coroutine.resume(coroutine.create(function() assert(pcall(coroutine.yield)) end))

-- 5.1 and 5.2 cannot say whether a coroutine may yield. These C functions do not forbid it there.
local CONTINUES = { [coroutine.yield] = true }
if pcall_can_yield then CONTINUES[pcall], CONTINUES[xpcall] = true, true end
CONTINUES[dofile or pcall] = pcall_can_yield

local function stack_can_yield()
  return stack.allows_yield(CONTINUES, not pcall_can_yield)
end

local can_yield = coroutine.isyieldable or stack_can_yield

-- The running task, where it can yield. Inside table.sort, gsub, require and the like there is none: whoever waits
-- there has to block.
local function current_yielding()
  local task = current()
  return task and can_yield() and task or nil
end

-- Of a function that ended in a tail call PUC 5.1 knows nothing, and it may have been a metamethod. There a call tries
-- to yield before it sends anything: that raises what the wait for its answer would.
local function try_to_yield()
  local task = control.task
  if task and task.co == running() and stack_can_yield() then yield(TRIED) end
end

-- ---------------------------------------------------------------------------------------------------------
-- Waiting

-- Gives control back to the loop until wake(task, on). Returns true, or false when the task is cancelled.
-- `on` is whatever it waits for; `source`, if given, is closed when the task is cancelled, or was before.
local function suspend(task, on, source)
  if task.cancelled then
    if source then source:close() end
    return false
  end
  task.waits_on, task.source = on or false, source or false
  yield(PARKED)
  task.waits_on, task.source = false, false
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
  if task.waits_on ~= on or not on then return end
  enqueue(task.loop, task)
  task.waits_on = false
end

-- Lets the others go on: the task is resumed again at the next step. Of `source`, see suspend.
local function pass(task, source)
  if not task.cancelled then state.enqueue(task.loop, task) end
  park(task, nil, source)
end

-- ---------------------------------------------------------------------------------------------------------
-- Ends

-- A value's own __tostring may raise, and on PUC 5.1 return anything. It cannot yield: the task is at its end.
local function text_of(cause)
  local ok, text = pcall(core.call, tostring, cause)
  return ok and type(text) == "string" and text or ("(an error that is a %s)"):format(type(cause))
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

-- The outcome comes last, in a statement of its own: a task that has one has its results, wherever memory ran out.
local function settle(task, ok, ...)
  if task.cancelled then
    task.results = pack(nil, cancelled_error())
    task.outcome = "cancelled"
  elseif ok then
    task.results = pack(...)
    task.outcome = "done"
  else
    task.cause = ...
    task.results = pack(nil, error_of(task, (...)))
    task.outcome = "failed"
  end
end

local function close_books(task)
  if not task.co then return end
  for _, joiner in ipairs(task.joiners or {}) do wake(joiner, task) end
  while task.callbacks and task.callbacks[1] do
    state.call(task.loop, task.callbacks[1], unpack(task.results, 1, task.results.n))
    table.remove(task.callbacks, 1)
  end
  tasks[task.co] = nil -- before 5.2 a weak key that its value refers to is never collected
  state.release(task.loop, task)
  task.joiners, task.callbacks, task.co, task.args = nil, nil, nil, false
end

local function finish(task, ...)
  settle(task, ...)
  close_books(task)
end

-- Whatever a task was about when memory ran out in the loop: it ends, or looks again at what it waits for.
local function mend(task)
  if task.outcome then return close_books(task) end
  if coroutine.status(task.co) == "dead" then return finish(task, false, "not enough memory") end
  state.enqueue(task.loop, task)
end

local resume

-- A coroutine that did not park itself has ended, or yielded for some reason of the user's.
local function after_resume(task, ok, cause)
  if cause == TRIED then return resume(task) end
  if coroutine.status(task.co) ~= "dead" then return state.enqueue(task.loop, task) end
  if not ok then return finish(task, false, cause) end
  return close_books(task)
end

local go_on = coroutine.resume

-- A task that has its arguments still has not begun.
local function begin(task)
  local args = task.args
  task.args = false
  return go_on(task.co, task, unpack(args, 1, args.n))
end

-- Runs a task until it waits or ends. Only its loop calls this, which has set its `resumer`, and never while one of its
-- tasks runs.
function resume(task)
  if task.outcome then return close_books(task) end
  if task.args and task.cancelled then return finish(task) end
  local outer = control.task -- of another loop, whose host stepped this one
  control.task = task
  local ok, what
  if task.args then ok, what = begin(task) else ok, what = go_on(task.co) end
  control.task = outer
  if what ~= PARKED then return after_resume(task, ok, what) end
end

-- ---------------------------------------------------------------------------------------------------------
-- Beginnings

local function on_raise(cause)
  local task = current()
  if task and not errors.is(cause) then task.trace = debug.traceback("", 2) end
  return cause
end

-- What a task's coroutine runs. A coroutine that ends by an error leaves its `<close>` variables open: so the error is
-- caught inside, where that can be done. If somebody else resumed it to its end, the loop has yet to see that.
local function body(task, fn, ...)
  if pcall_can_yield then settle(task, xpcall(fn, on_raise, ...)) else settle(task, true, fn(...)) end
  if control.task ~= task and not task.loop.closed then enqueue(task.loop, task) end
end

-- Makes `task` (a table with `loop` and `group`) one that will call fn(...). Returns it. What is asked of it most often
-- is there from the start, and false rather than nil later: Lua is slow to find that there is none.
local function init(task, fn, ...)
  task.outcome, task.cancelled, task.waits_on, task.source = false, false, false, false
  task.co, task.args = coroutine.create(body), pack(fn, ...)
  tasks[task.co] = task
  return task
end

return {
  for_can_yield = for_can_yield, pcall_can_yield = pcall_can_yield,
  try_to_yield = not pcall_can_yield and try_to_yield,
  init = init, current = current, current_yielding = current_yielding, inside = inside, control = control,
  resume = resume, mend = mend, suspend = suspend, park = park, wake = wake, pass = pass,
  cancelled_error = cancelled_error,
}
