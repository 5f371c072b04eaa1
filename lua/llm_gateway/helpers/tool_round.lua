-- helpers/tool_round.lua: the calls of one round, each in a task of its own, and the wait for them.
-- Leans on loop/ for tasks and on tools.lua for what one call does. Knows no requests and no replies.
--
-- What is under way is cancelled when the waiting task is, when the time is over, and when whoever has the round
-- closes it.

local coroutines = require("llm_gateway.loop.coroutines")
local tasks = require("llm_gateway.loop.tasks")
local tools = require("llm_gateway.helpers.tools")
local wait = require("llm_gateway.loop.wait")

local Round = {}
Round.__index = Round

local function note_end(self, call, result, err)
  if result == nil then
    if call.is_asking and not self.stopped_by then self.fatal = self.fatal or err end
    result = tools.failure(self.stopped_by or err)
  end
  call.result = result
  table.insert(self.ended, call)
end

-- Memory may run out wherever an end is told: so that is only a hint to look here.
local function take_ended(self)
  for _, call in ipairs(self.calls) do
    local running = self.tasks[call]
    if running and running.outcome then
      note_end(self, call, running.results[1], running.results[2])
      self.tasks[call] = nil
    end
  end
  if self.fatal then self:cancel() end
end

local function start(self, call, approve)
  local running = tasks.spawn(self.loop, 1, tools.run, self.set, call, approve)
  self.tasks[call] = running
  running:on_done(function()
    if self.waiter then coroutines.wake(self.waiter, self) end
  end)
end

-- Cancels what is under way, for `reason` (a text that the model would read); each still ends, and is told.
function Round:cancel(reason)
  self.stopped_by = self.stopped_by or reason
  for _, running in pairs(self.tasks) do running:cancel() end
end

-- Cancels all of it. What ends later is of no interest.
function Round:close()
  self:cancel()
  if self.clock then self.clock:cancel() end
end

local function wait_for_one(self)
  self.waiter = coroutines.current_yielding()
  take_ended(self)
  while not self.ended[1] do
    if not self.waiter then
      wait.block(self.loop)
    elseif not coroutines.suspend(self.waiter, self, self) then
      error(coroutines.cancelled_error(), 0)
    end
    take_ended(self)
  end
  self.waiter = nil
end

-- Waits for the next call that ends. Returns it, with its `result`; nil once all have been handed over. In a task the
-- others go on meanwhile; elsewhere the loop is stepped.
function Round:next()
  if not self.ended[1] then
    if next(self.tasks) == nil then
      if self.clock then self.clock:cancel() end
      return nil
    end
    wait_for_one(self)
  end
  return table.remove(self.ended, 1)
end

-- Starts `calls` of the tools in `set`. With `seconds` they are cancelled when those are over; `late` is then what
-- the model is told.
local function new(loop, set, calls, approve, seconds, late)
  local self = setmetatable({ loop = loop, set = set, calls = calls, tasks = {}, ended = {} }, Round)
  for _, call in ipairs(calls) do start(self, call, approve) end
  if seconds then
    self.clock = tasks.spawn(loop, 1, function()
      wait.sleep_until(loop, seconds)
      self:cancel(late)
    end)
  end
  return self
end

return { new = new }
