-- loop/copas.lua: drives a loop from copas, and lets calls made in its threads wait there. host.lua has the contract.
-- Copas has no door for a bare descriptor, so a thread of its own steps the loop every few milliseconds, while there is
-- work.

local copas = require("copas")

local host = require("llm_gateway.loop.host")
local loops = require("llm_gateway.loop")

local TICK = 0.004 -- seconds between two steps

local M = {}

local function adapter_of(loop, record)
  local waiting = {}
  local busy = host.pump(loop, record, copas.addthread, function() copas.pause(TICK) end)

  -- Copas does not tell its threads from other coroutines: whoever makes one inside a thread calls no client there.
  local function wait(timeout)
    local running, is_main = coroutine.running()
    if not copas.running or not running or is_main then return false end
    waiting[running] = true
    if timeout then copas.pause(timeout) else copas.pauseforever() end
    waiting[running] = nil
    return true
  end

  local function wake()
    for thread in pairs(waiting) do copas.wakeup(thread) end
  end

  return { busy = busy, idle = wake, wake = wake, wait = wait }
end

-- Attaches a loop to copas. Option: loop (default: llm.loop()). A client called in any thread of copas's waits without
-- holding up the others. Each returned object's close() undoes its own attachment.
function M.attach(options)
  options = options or {}
  local loop, record = loops.to_attach(options, { "loop" }, 2)
  return host.attach(record, copas, function() return adapter_of(loop, record) end)
end

return M
