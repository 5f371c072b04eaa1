-- measure.lua: how a Lua program of bench/ measures itself and says so.
-- Leans on bare.c for the clocks. Every program of bench/, in whatever language, prints one line at its end:
--
--   WALL CPU UNITS [NAME=NUMBER ...]     seconds, seconds of this process, how many units of work

local bare = require "bare"

local M = {}

-- Prints one line for the time since the earlier `started` (of M.start).
function M.finish(started, units, more)
  local wall, cpu = bare.now() - started.wall, bare.cpu() - started.cpu
  local line = { ("%.9f %.9f %d"):format(wall, cpu, units) }
  for name, number in pairs(more or {}) do table.insert(line, ("%s=%.3f"):format(name, number)) end
  print(table.concat(line, " "))
end

function M.start()
  return { cpu = bare.cpu(), wall = bare.now() }
end

-- Runs work(times), after work(warm) that is not counted, and prints what it took. work returns its units.
function M.run(work, times, warm)
  if warm > 0 then work(warm) end
  collectgarbage()
  local started = M.start()
  M.finish(started, work(times))
end

-- The median and the 99th percentile of a list, which gets sorted.
function M.percentiles(list)
  table.sort(list)
  return list[math.ceil(#list / 2)], list[math.ceil(#list * 0.99)]
end

return M
