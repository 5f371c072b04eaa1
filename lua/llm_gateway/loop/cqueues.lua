-- loop/cqueues.lua: drives a loop from a cqueues controller, and lets calls made in its coroutines wait there.
-- Leans on loop:fd(), loop:step(0), on_busy, host_wait and host_wake; a pump runs only while there is work, so that
-- the controller can become empty.

local condition = require("cqueues.condition")
local cqueues = require("cqueues")

local checks = require("llm_gateway.request.schema")

local M = {}

-- Attaches a loop to a controller. Options: loop (default: llm.loop()), controller (default: the running one).
-- A client called in any of the controller's coroutines waits without holding up the others.
-- Returns an object whose close() detaches it again.
function M.attach(options)
  options = options or {}
  checks.only(options, { "loop", "controller" }, "attach", 2)
  local loop = options.loop or require("llm_gateway").loop()
  local controller = options.controller or cqueues.running() or error("attach: no controller given or running", 2)
  local fd = loop:fd() or error("this system has no descriptor for a loop: call loop:step(0) from a timer", 2)
  local readable = { pollfd = fd, events = "r" }
  local stepped = condition.new() -- what was waited for may come, and the work end, in a step of somebody else's
  local pumping = false

  local function pump()
    while loop.busy do
      cqueues.poll(readable, stepped)
      if not loop.closed then loop:step(0) end
    end
    pumping = false
  end

  function loop.on_busy()
    if pumping then return end
    pumping = true
    controller:wrap(pump)
  end

  local function wake() stepped:signal() end
  loop.on_idle, loop.host_wake = wake, wake

  -- A coroutine of the user's own would get what only the controller may.
  function loop.host_wait(_, timeout)
    local _, is_controllers = cqueues.running()
    if not is_controllers then return false end
    cqueues.poll(readable, stepped, timeout)
    return true
  end

  if loop:pending() then loop.on_busy() end
  return { close = function() loop.on_busy, loop.on_idle, loop.host_wait, loop.host_wake = nil, nil, nil, nil end }
end

return M
