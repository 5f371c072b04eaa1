-- loop/luv.lua: drives a loop from libuv: luv in plain Lua, vim.uv or vim.loop in Neovim.
-- Leans on loop:fd(), loop:step(0), on_busy and on_idle; polls only while there is work, so that libuv's own
-- loop can end.

local checks = require("llm_gateway.request.schema")

local M = {}

-- Attaches a loop to libuv. Options:
--   uv        the luv module (default: require "luv")
--   loop      the loop (default: llm.loop())
--   schedule  vim.schedule in Neovim, which forbids its API inside libuv's callbacks
--   budget    seconds that one step may take (default: no limit)
-- Returns an object whose close() detaches it again.
function M.attach(options)
  options = options or {}
  checks.only(options, { "uv", "loop", "schedule", "budget" }, "attach", 2)
  local uv = options.uv or require("luv")
  local loop = options.loop or require("llm_gateway").loop()
  local fd = loop:fd() or error("this system has no descriptor for a loop: call loop:step(0) from a timer", 2)
  local poll = uv.new_poll(fd)
  local watch

  local function step()
    if not loop.closed then loop:step(0, options.budget) end
    if options.schedule and loop.busy and not poll:is_closing() then watch() end
  end

  -- The descriptor stays readable until the step has run: with a schedule, polling waits for that.
  local function on_readable()
    if not options.schedule then return step() end
    poll:stop()
    options.schedule(step)
  end

  function watch() poll:start("r", on_readable) end

  local function stop()
    if not poll:is_closing() then poll:stop() end
  end

  loop.on_busy, loop.on_idle = watch, stop
  if loop:pending() then watch() end
  return {
    close = function()
      loop.on_busy, loop.on_idle = nil, nil
      if not poll:is_closing() then poll:close() end
    end,
  }
end

return M
