-- loop/tasks.lua: what a loop offers to those who use tasks: spawn, run, map, sleep.
-- Each is a function of a loop's record; init.lua checks the loop object first. `level` says how far above the caller
-- misuse is told.

local coroutines = require("llm_gateway.loop.coroutines")
local schema = require("llm_gateway.schema")
local task = require("llm_gateway.loop.task")
local wait = require("llm_gateway.loop.wait")

local unpack = table.unpack or unpack -- luacheck: read globals unpack

local M = {}

local DEFAULT_CONCURRENCY = 8

local function check_function(fn, name, level)
  if type(fn) == "function" then return end
  local hint = type(fn) == "table" and fn.spawn and (" (is it llm.%s(...), with a dot?)"):format(name) or ""
  error(("%s: expected a function, got %s%s"):format(name, type(fn), hint), level + 1)
end

-- Makes a task that calls fn(...) from the next step on. Returns the task. May be called anywhere.
function M.spawn(loop, level, fn, ...)
  check_function(fn, "spawn", level + 1)
  local parent = coroutines.current() or (coroutines.inside() and coroutines.control.task)
  local group = parent and parent.loop == loop and parent.group or nil
  return task.start(loop, group, fn, ...)
end

-- Waits for `seconds`. In a task the others go on; elsewhere the loop is stepped.
function M.sleep(loop, level, seconds)
  if type(seconds) ~= "number" or seconds ~= seconds then
    error("sleep: expected seconds, got " .. schema.shown(seconds), level + 1)
  end
  wait.sleep_until(loop, seconds)
end

-- ---------------------------------------------------------------------------------------------------------
-- run

-- Of a group's failures (by task, in which order each ended) the first.
local function first_unheard(failed)
  local first
  for ended, order in pairs(failed) do
    if not first or order < failed[first] then first = ended end
  end
  return first
end

-- Raises where `name` would have to step a loop that cannot be stepped.
local function refuse_to_step(loop, name, level)
  wait.refuse_inside(name, level + 1)
  if loop.stepping then error(name .. ": the loop is being stepped", level + 1) end
end

-- Runs fn(...) as a task, and steps the loop until it and all the tasks it spawned have ended. Returns what fn
-- returned. Raises again what fn raised, else what the first task raised that nobody joined.
function M.run(loop, level, fn, ...)
  check_function(fn, "run", level + 1)
  refuse_to_step(loop, "run", level + 1)
  local group = { count = 0, failures = 0, failed = {} }
  local root = task.start(loop, group, fn, ...)
  while group.count > 0 do wait.block(loop, nil, level + 1) end
  local failed = root.outcome == "failed" and root or first_unheard(group.failed)
  if failed then error(failed.cause, 0) end
  return unpack(root.results, 1, root.results.n)
end

-- ---------------------------------------------------------------------------------------------------------
-- map

local function check_map(list, options, fn, level)
  if type(list) ~= "table" then error("map: expected a list, got " .. type(list), level + 1) end
  if type(options) ~= "table" then error("map: expected a table of options, got " .. type(options), level + 1) end
  check_function(fn, "map", level + 1)
  local concurrency = options.concurrency or DEFAULT_CONCURRENCY
  if type(concurrency) ~= "number" or concurrency ~= concurrency or concurrency < 1 then
    error("map: concurrency: expected a number from 1 up, got " .. tostring(concurrency), level + 1)
  end
  local stop = options.stop_on_error
  if stop ~= nil and type(stop) ~= "boolean" then
    error("map: stop_on_error: expected true or false, got " .. schema.shown(stop), level + 1)
  end
  schema.only(options, { "concurrency", "stop_on_error" }, "map", level + 1)
end

-- A batch is one map under way: `running` items (their places by task), results and errors by place.
local function start_item(loop, batch, i)
  local item = task.start(loop, batch.mapper.group, batch.fn, batch.list[i], i)
  item:on_done(function() coroutines.wake(batch.mapper, batch) end)
  batch.running[item] = i
  batch.active = batch.active + 1
end

local function take_ended(batch)
  for item, i in pairs(batch.running) do
    if item.outcome then
      local value, err = item.results[1], item.results[2]
      batch.results[i] = value
      if value == nil and err ~= nil then
        batch.errors = batch.errors or {}
        batch.errors[i] = err
      end
      batch.running[item] = nil
      batch.active = batch.active - 1
    end
  end
end

local function stop_batch(batch)
  for item in pairs(batch.running) do item:cancel() end
end

local function wait_for_item(batch)
  if coroutines.suspend(batch.mapper, batch) then return end
  stop_batch(batch)
  error(coroutines.cancelled_error(), 0)
end

local function drive_batch(loop, batch, options)
  local i, n = 0, batch.results.n
  local limit = options.concurrency or DEFAULT_CONCURRENCY
  while i < n or batch.active > 0 do
    if options.stop_on_error and batch.errors then
      i = n
      stop_batch(batch)
    end
    while i < n and batch.active < limit do
      i = i + 1
      start_item(loop, batch, i)
    end
    if batch.active > 0 then wait_for_item(batch) end
    take_ended(batch)
  end
  return batch.results, batch.errors
end

-- Calls fn(item, index) for each item of the list in tasks of their own, `concurrency` (8) at once. Returns the
-- results by index, with their number as `n`, and the errors by index or nil: an item whose fn raised, or
-- returned nil, err, has an error. With stop_on_error the first error cancels the rest.
function M.map(loop, level, list, options, fn)
  if type(options) == "function" then
    if fn ~= nil then error("map: the options come before the function", level + 1) end
    options, fn = {}, options
  end
  options = options or {}
  check_map(list, options, fn, level + 1)
  local running, mapper = coroutines.current(), coroutines.current_yielding()
  if running and running.loop ~= loop then
    error("map: the running task belongs to another loop: use its map", level + 1)
  end
  if not mapper then
    refuse_to_step(loop, "map", level + 1)
    return M.run(loop, level + 1, function() return M.map(loop, 1, list, options, fn) end)
  end
  local batch = { mapper = mapper, list = list, fn = fn, running = {}, active = 0, results = { n = #list } }
  return drive_batch(loop, batch, options)
end

return M
