-- loop/tasks.lua: what a loop offers to those who use tasks: spawn, run, map, sleep.
-- Adds these to the loop's methods. Leans on checks.lua, loop.lua, task.lua and waiting.lua.

local checks = require("llm_gateway.request.schema")
local loops = require("llm_gateway.loop")
local task = require("llm_gateway.loop.task")

local unpack = table.unpack or unpack -- luacheck: read globals unpack
local Loop = require("llm_gateway.loop.wait") -- the loop's methods

local DEFAULT_CONCURRENCY = 8

local function check_function(fn, name)
  if type(fn) == "function" then return end
  local hint = type(fn) == "table" and fn.spawn and (" (is it llm.%s(...), with a dot?)"):format(name) or ""
  error(("%s: expected a function, got %s%s"):format(name, type(fn), hint), 3)
end

local function start(self, group, fn, ...)
  local new = task.new(self, group, fn, ...)
  self:adopt(new)
  return new
end

-- Makes a task that calls fn(...) from the next step on. Returns the task. May be called anywhere.
function Loop:spawn(fn, ...)
  loops.check(self, "spawn")
  check_function(fn, "spawn")
  local parent = task.current() or (task.inside() and task.control.task)
  local group = parent and parent.loop == self and parent.group or nil
  return start(self, group, fn, ...)
end

-- Waits for `seconds`. In a task the others go on; elsewhere the loop is stepped.
function Loop:sleep(seconds)
  loops.check(self, "sleep")
  if type(seconds) ~= "number" or seconds ~= seconds then
    error("sleep: expected seconds, got " .. checks.shown(seconds), 2)
  end
  self:rest(seconds)
end

-- Of a group's failures (when each ended, by task; who is joined leaves) the first.
local function first_unjoined(failed)
  local first
  for ended, order in pairs(failed) do
    if not first or order < failed[first] then first = ended end
  end
  return first
end

-- Runs fn(...) as a task, and steps the loop until it and all the tasks it spawned have ended. Returns what fn
-- returned. Raises again what fn raised, else what the first task raised that nobody joined.
function Loop:run(fn, ...)
  loops.check(self, "run")
  check_function(fn, "run")
  self:refuse_inside("run", 2)
  if self.stepping then error("run: the loop is being stepped", 2) end
  local group = { count = 0, failures = 0, failed = {} }
  local root = start(self, group, fn, ...)
  while group.count > 0 do self:block() end
  local failed = root.outcome == "failed" and root or first_unjoined(group.failed)
  if failed then error(failed.cause, 0) end
  return unpack(root.results, 1, root.results.n)
end

local function check_map(list, options, fn)
  if type(list) ~= "table" then error("map: expected a list, got " .. type(list), 3) end
  if type(options) ~= "table" then error("map: expected a table of options, got " .. type(options), 3) end
  check_function(fn, "map")
  local concurrency = options.concurrency or DEFAULT_CONCURRENCY
  if type(concurrency) ~= "number" or concurrency ~= concurrency or concurrency < 1 then
    error("map: concurrency: expected a number from 1 up, got " .. tostring(concurrency), 3)
  end
  checks.only(options, { "concurrency", "stop_on_error" }, "map", 3)
end

-- One map under way: `running` items (their places by task), results and errors by place.
local function start_item(self, batch, i)
  local item = start(self, batch.mapper.group, batch.fn, batch.list[i], i)
  item.joined = true
  batch.running[item] = i
  batch.active = batch.active + 1
  item:on_done(function() task.wake(batch.mapper, batch) end)
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

local function drive_batch(self, batch, options)
  local i, n = 0, batch.results.n
  local limit = options.concurrency or DEFAULT_CONCURRENCY
  while i < n or batch.active > 0 do
    local stopped = options.stop_on_error and batch.errors
    if stopped then
      i = n
      stop_batch(batch)
    end
    while i < n and batch.active < limit do
      i = i + 1
      start_item(self, batch, i)
    end
    if batch.active > 0 and not task.suspend(batch.mapper, batch) then
      stop_batch(batch)
      error(task.cancelled_error(), 0)
    end
    take_ended(batch)
  end
  return batch.results, batch.errors
end

-- Calls fn(item, index) for each item of the list in tasks of their own, `concurrency` (8) at once. Returns the
-- results by index, with their number as `n`, and the errors by index or nil: an item whose fn raised, or
-- returned nil, err, has an error. With stop_on_error the first error cancels the rest.
function Loop:map(list, options, fn)
  if type(options) == "function" then
    if fn ~= nil then error("map: the options come before the function", 2) end
    options, fn = {}, options
  end
  loops.check(self, "map")
  options = options or {}
  check_map(list, options, fn)
  local mapper = task.current()
  if mapper and mapper.loop ~= self then error("map: the running task belongs to another loop: use its map", 2) end
  if not mapper then
    self:refuse_inside("map", 2)
    if self.stepping then error("map: the loop is being stepped", 2) end
    return self:run(function() return self:map(list, options, fn) end)
  end
  local batch = { mapper = mapper, list = list, fn = fn, running = {}, active = 0, results = { n = #list } }
  return drive_batch(self, batch, options)
end

return Loop
