-- loop/cqueues.lua: drives a loop from a cqueues controller, and lets calls made in its coroutines wait there. See
-- host.lua for the contract.

local condition = require("cqueues.condition")
local cqueues = require("cqueues")

local host = require("llm_gateway.loop.host")
local loops = require("llm_gateway.loop")

local TICK = 0.008 -- seconds between two steps where there is no descriptor

local M = {}

local function adapter_of(controller, loop, record)
  local fd = loop:fd()
  local ready = fd and { pollfd = fd, events = "r" } or TICK
  local stepped = condition.new() -- what was waited for may come, and the work end, in a step of somebody else's

  local function spawn(fn) controller:wrap(fn) end
  local function rest() cqueues.poll(ready, stepped) end
  local busy = host.pump(loop, record, spawn, rest)

  local function wake() stepped:signal() end

  -- A coroutine of the user's own would get what only the controller may.
  local function wait(timeout)
    local _, is_controllers = cqueues.running()
    if not is_controllers then return false end
    cqueues.poll(ready, stepped, timeout)
    return true
  end

  return { busy = busy, idle = wake, wake = wake, wait = wait }
end

-- Attaches a loop to a controller. Options: loop (default: llm.loop()), controller (default: the running one).
-- A client called in any of the controller's coroutines waits without holding up the others. A loop may be attached
-- several times; each returned object's close() undoes its own attachment.
function M.attach(options)
  options = options or {}
  local loop, record = loops.to_attach(options, { "loop", "controller" }, 2)
  local controller = options.controller or cqueues.running() or error("attach: no controller given or running", 2)
  return host.attach(record, controller, function() return adapter_of(controller, loop, record) end)
end

return M
