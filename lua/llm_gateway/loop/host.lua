-- loop/host.lua: the contract between a loop and the event loop of a host that drives it.
-- luv.lua, cqueues.lua and copas.lua are adapters by this contract; another one is a file like them.
--
-- An adapter is a table of functions, each of them optional:
--   busy()         Work has come. Watch loop:fd() for reading, or run a timer, and call loop:step(0) until idle().
--   idle()         No work is left. Stop watching, so that the host's own loop can end.
--   wait(timeout)  A call has to wait and no task of ours is running. In a coroutine of the host's scheduler: wait
--                  there until wake() is called, the descriptor is readable, or `timeout` seconds are over (nil: no
--                  limit), and return true. In any other coroutine: return false at once; the call steps the loop.
--   wake()         Something has happened that a wait() may be waiting for.
--   close()        The last attachment was closed.
-- None of them may raise or step the loop from within busy, idle and wake.
--
-- Two plugins of one program attach the same loop to the same host. The first attachment makes the adapter, the others
-- share it, and it closes with the last one.

local M = {}

local function add(loop, key, adapter)
  adapter.attachments = 0
  loop.hosts[key] = adapter
  table.insert(loop.hosts, adapter)
  if loop.busy and adapter.busy then adapter.busy() end
  return adapter
end

local function remove(loop, key, adapter)
  loop.hosts[key] = nil
  for i = #loop.hosts, 1, -1 do
    if loop.hosts[i] == adapter then table.remove(loop.hosts, i) end
  end
  if adapter.close then adapter.close() end
end

-- Attaches a loop's record to a host. `key` tells hosts apart (the luv module, a controller); make() returns the
-- adapter and is called for the first attachment alone. Returns an object whose close() undoes this attachment, once.
function M.attach(loop, key, make)
  local adapter = loop.hosts[key] or add(loop, key, make())
  local attached = true
  adapter.attachments = adapter.attachments + 1
  return {
    close = function()
      if not attached then return end
      attached = false
      adapter.attachments = adapter.attachments - 1
      if adapter.attachments == 0 then remove(loop, key, adapter) end
    end,
  }
end

-- busy() of a host that has coroutines: one of them steps the loop while there is work, so that the host's own loop can
-- end. spawn(fn) makes it, rest() waits in it until a step may bring something.
function M.pump(loop, record, spawn, rest)
  local is_running = false
  local function run()
    while record.busy do
      rest()
      if not record.closed then loop:step(0) end
    end
    is_running = false
  end
  return function()
    if is_running then return end
    is_running = true
    spawn(run)
  end
end

-- Calls a function of each adapter, through call(loop, fn).
function M.tell(loop, name, call)
  for _, adapter in ipairs(loop.hosts) do
    if adapter[name] then call(loop, adapter[name]) end
  end
end

-- Tells the adapters that what a wait() waits for may have come.
function M.wake(loop)
  for _, adapter in ipairs(loop.hosts) do
    if adapter.wake then adapter.wake() end
  end
end

-- Waits in the host's scheduler. Returns whether the running coroutine belongs to one.
function M.wait(loop, timeout)
  for _, adapter in ipairs(loop.hosts) do
    if adapter.wait and adapter.wait(timeout) then return true end
  end
  return false
end

return M
