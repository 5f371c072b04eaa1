-- loop/luv.lua: drives a loop from libuv: luv in plain Lua, vim.uv or vim.loop in Neovim. host.lua has the contract.
-- It polls only while there is work, so that libuv's own loop can end. A loop without a descriptor is stepped by a
-- timer.

local host = require("llm_gateway.loop.host")
local loops = require("llm_gateway.loop")

local TICK = 8 -- milliseconds between two steps where there is no descriptor

local M = {}

-- Something to start with a callback and to stop: the loop's descriptor, or a timer.
local function trigger_of(uv, loop)
  local fd = loop:fd()
  local handle = fd and uv.new_poll(fd) or uv.new_timer()
  return {
    start = function(callback)
      if handle:is_closing() then return end
      if fd then handle:start("r", callback) else handle:start(TICK, TICK, callback) end
    end,
    stop = function() if not handle:is_closing() then handle:stop() end end,
    close = function() if not handle:is_closing() then handle:close() end end,
  }
end

local function adapter_of(uv, loop, record, options)
  local trigger = trigger_of(uv, loop)
  local watch

  local function step()
    if not record.closed then loop:step(0, options.budget) end
    if options.schedule and record.busy then watch() end
  end

  -- The descriptor stays readable until the step has run: with a schedule, polling waits for that.
  local function on_ready()
    if not options.schedule then return step() end
    trigger.stop()
    options.schedule(step)
  end

  function watch() trigger.start(on_ready) end

  return { busy = watch, idle = trigger.stop, close = trigger.close }
end

-- Attaches a loop to libuv. Options:
--   uv        the luv module (default: require "luv")
--   loop      the loop (default: llm.loop())
--   schedule  vim.schedule in Neovim, which forbids its API inside libuv's callbacks
--   budget    seconds that one step may take (default: no limit)
-- A loop may be attached several times, by plugins that do not know of each other: the first call's options hold, and
-- each returned object's close() undoes its own attachment.
function M.attach(options)
  options = options or {}
  local uv = options.uv or require("luv")
  local loop, record = loops.to_attach(options, { "uv", "loop", "schedule", "budget" }, 2)
  return host.attach(record, uv, function() return adapter_of(uv, loop, record, options) end)
end

return M
