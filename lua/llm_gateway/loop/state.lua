-- loop/state.lua: what a loop knows of its tasks and its host: one record, which every file of this room works on.
-- It queues tasks, counts them, and tells the host when there is work. It resumes nobody and waits for nothing.
--
-- Fields of the record:
--   object      the loop object that a user holds; on_busy, on_idle and on_error are fields of it
--   core        the C core's loop, which does the I/O
--   queue, first, last   tasks to resume, in order
--   live        the set of tasks that have not ended; `tasks` is their number
--   failed      tasks of no group that failed, until the end of the step
--   waiters     tasks by the id of the transfer they wait for
--   ready       room for the ids of transfers that have something new
--   timers      functions by the moment they are due
--   hosts       attached adapters; see host.lua
--   allowance   how many chunks the running task may still read before the others get their turn
--   deadline    when the running step's budget ends, or nil
--   stepping    a step is under way
--   resumer     the coroutine that resumes its tasks in this step, nil for the main program of some Luas
--   busy        the host was told that there is work
--   closed      the loop is of no use any more
--   shaken      memory ran out in a step: some task may have lost its turn

local core = require("llm_gateway.core")
local lazy = require("llm_gateway.lazy")
local timers = require("llm_gateway.loop.timers")

local host = lazy("llm_gateway.loop.host") -- loaded by the first adapter

local M = {}

M.CHUNKS_A_TURN = 64 -- what a task may read before the others get their turn
M.READY_AT_ONCE = 32 -- how many ids of ready transfers the core tells in one call

local OUT_OF_MEMORY = "not enough memory" -- what Lua raises then

local function write_to_stderr(err)
  local trace = type(err) == "table" and err.traceback or tostring(err)
  io.stderr:write("llm_gateway: a task failed, and nobody joined it: ", trace, "\n")
end

-- The default of loop.on_error.
M.write_to_stderr = write_to_stderr

-- A list that takes so many ids without growing: memory that ran out then would lose some.
local function room_for_ids()
  local ids = {}
  for i = 1, M.READY_AT_ONCE do ids[i] = false end
  return ids
end

-- A new record for the loop object `object`. Raises when the system has no descriptor left.
function M.new(object)
  return {
    object = object, core = assert(core.loop()),
    queue = {}, first = 1, last = 0, live = {}, tasks = 0, failed = {},
    waiters = setmetatable({}, { __mode = "v" }), ready = room_for_ids(), timers = timers.new(), hosts = {},
    allowance = M.CHUNKS_A_TURN, stepping = false, busy = false, closed = false, shaken = false,
  }
end

-- ---------------------------------------------------------------------------------------------------------
-- The user's functions

-- Hands an error that nobody else will see to on_error. `failed` is the task, if it was one.
function M.report(loop, err, failed)
  local ok, second = pcall(loop.object.on_error or write_to_stderr, err, failed)
  if not ok then io.stderr:write("llm_gateway: on_error raised: ", tostring(second), "\n") end
end

-- Calls a user's function, which cannot yield. What it raises goes to on_error, so that the loop goes on.
function M.call(loop, fn, ...)
  local ok, err = pcall(core.call, fn, ...)
  if ok then return end
  if err == OUT_OF_MEMORY then loop.shaken = true end
  M.report(loop, err)
end

local function call_hook(loop, name)
  local hook = loop.object[name]
  if hook then M.call(loop, hook, loop.object) end
end

local function tell_hosts(loop, what)
  if loop.hosts[1] then host.tell(loop, what, M.call) end
end

-- Something has happened that a host's coroutine may be waiting for. Most loops have no host.
function M.wake_hosts(loop)
  if loop.hosts[1] then host.wake(loop) end
end

-- ---------------------------------------------------------------------------------------------------------
-- Work

-- A transfer was started: a host that watches only while the loop is busy must know. (The descriptor shows it.)
function M.mark_begun(loop)
  if loop.busy then return end
  loop.busy = true
  tell_hosts(loop, "busy")
  call_hook(loop, "on_busy")
end

-- Work has come of which the core does not know.
function M.mark_busy(loop)
  if not loop.stepping then loop.core:alarm(0) end
  M.mark_begun(loop)
end

-- No work is left.
function M.mark_idle(loop)
  if not loop.busy then return end
  loop.busy = false
  tell_hosts(loop, "idle")
  call_hook(loop, "on_idle")
end

-- Puts a task at the end of the queue of those to resume.
function M.enqueue(loop, task)
  local last = loop.last + 1
  loop.queue[last] = task
  loop.last = last
  if not loop.stepping then loop.core:alarm(0) end
end

-- Takes a new task in and has it resumed. What may fail comes first: a task is counted wholly or not at all.
function M.adopt(loop, task)
  local group = task.group
  M.mark_busy(loop)
  if loop.closed then error("the loop is closed", 0) end -- by on_busy
  loop.queue[loop.last + 1] = task
  loop.live[task] = true
  loop.last, loop.tasks = loop.last + 1, loop.tasks + 1
  if group then group.count = group.count + 1 end
end

-- Somebody may yet join a failed task: `run` asks at its end, for tasks of no group it is asked at the end of the step.
local function note_failure(loop, task)
  local group = task.group
  if not group then return table.insert(loop.failed, task) end
  group.failures = group.failures + 1
  group.failed[task] = group.failures
end

-- A task has ended.
function M.release(loop, task)
  local group = task.group
  if task.outcome == "failed" and not task.heard then note_failure(loop, task) end
  loop.tasks = loop.tasks - 1
  loop.live[task] = nil
  if group then group.count = group.count - 1 end
  M.wake_hosts(loop)
end

-- The tasks that have not ended, as they are now: what is done with one may add others.
function M.live_tasks(loop)
  local list = {}
  for task in pairs(loop.live) do table.insert(list, task) end
  return list
end

-- Whether a client or its loop was closed.
function M.is_closed(loop, client)
  local _, is_open = core.config(client)
  return loop.closed or not is_open
end

-- Whether there is work: tasks that have not ended, or transfers under way.
function M.pending(loop)
  return loop.tasks > 0 or loop.core:running() > 0
end

return M
