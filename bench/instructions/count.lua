-- count.lua: instructions for a chat, for a chunk and for a collected chunk, held against those recorded.
-- Each is the difference between two runs of bench/programs/ours.lua, a short and a long one, so that start-up cancels
-- out. Instructions do not depend on how busy the machine is. Leans on callgrind.lua and on bench/place.lua.
--
--   lua5.4 bench/instructions/count.lua [record|stages]
--
-- Fails when one is more than TOLERANCE above what bench/instructions/recorded.lua says. One that is as far below is
-- said to be: the record should be renewed then, or the next regression hides in the difference. `record` writes that
-- file, and into bench/README.md where the instructions go; `stages` prints the latter alone.

package.path = package.path .. ";bench/?.lua;bench/instructions/?.lua"
local callgrind = require "callgrind"
local place = require "place"
local put_into_readme = require "readme"

local TOLERANCE = 0.05
local RECORD = "bench/instructions/recorded.lua"

-- name, work of ours.lua, path and times of the short run, path and times of the long one
local COUNTS = {
  { "chat", "chat", "/chat", 20, "/chat", 220 },
  { "chunk", "stream", "/stream-1000", 1, "/stream-6000", 1 },
  { "collected chunk", "collect", "/stream-1000", 1, "/stream-6000", 1 },
}

local function run(url, work, path, times)
  local command = ("lua5.4 bench/programs/ours.lua %s %s%s %d 0"):format(work, url, path, times)
  local total, stages, said = callgrind.run(command, "build/bench/callgrind.out")
  local units = tonumber(said:match("^%S+ %S+ (%d+)"))
  if not units then error(("%s failed: %s"):format(command, said), 0) end
  return { total = total, stages = stages, units = units }
end

-- What one unit takes: {total, stages}.
local function count(url, entry)
  local short, long = run(url, entry[2], entry[3], entry[4]), run(url, entry[2], entry[5], entry[6])
  local units, stages = long.units - short.units, {}
  for stage, cost in pairs(long.stages) do stages[stage] = (cost - (short.stages[stage] or 0)) / units end
  return { total = (long.total - short.total) / units, stages = stages }
end

local function count_all()
  local server, counts = place.start(), {}
  for i, entry in ipairs(COUNTS) do counts[i] = count(server.url, entry) end
  server:stop()
  return counts
end

-- ---------------------------------------------------------------------------------------------------------

local function record(counts)
  local file = assert(io.open(RECORD, "w"))
  file:write("-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.\n")
  file:write("return {\n")
  for i, entry in ipairs(COUNTS) do file:write(('  ["%s"] = %.0f,\n'):format(entry[1], counts[i].total)) end
  file:write("}\n")
  file:close()
end

local function verdict(change)
  if change > TOLERANCE then return "  SLOWER than recorded" end
  return change < -TOLERANCE and "  faster: renew the record with `make instructions RECORD=yes`" or ""
end

-- Prints each count beside the recorded one. Returns whether none is too far above it.
local function compare(counts, recorded)
  local fine = true
  print(("%-18s %12s %12s %9s"):format("instructions", "counted", "recorded", "change"))
  for i, entry in ipairs(COUNTS) do
    local was, is = recorded[entry[1]], counts[i].total
    local change = is / was - 1
    print(("%-18s %12.0f %12.0f %+8.1f%%%s"):format(entry[1], is, was, change * 100, verdict(change)))
    fine = fine and change <= TOLERANCE
  end
  return fine
end

-- All stages, those that take most for a chunk first.
local function sorted_stages(counts)
  local names, most = {}, {}
  for _, one in ipairs(counts) do
    for stage, cost in pairs(one.stages) do
      if not most[stage] and math.abs(cost) >= 1 then table.insert(names, stage) end
      if math.abs(cost) >= 1 then most[stage] = math.max(most[stage] or 0, cost / one.total) end
    end
  end
  table.sort(names, function(a, b) return most[a] > most[b] end)
  return names
end

-- Where they go, as a table in Markdown.
local function stages_text(counts)
  local out = { "| stage | a chat | | a chunk | | a collected chunk | |", "|---|---:|---:|---:|---:|---:|---:|" }
  for _, stage in ipairs(sorted_stages(counts)) do
    local line = { "| " .. stage }
    for _, one in ipairs(counts) do
      local cost = one.stages[stage] or 0
      table.insert(line, ("%.0f | %.1f %%"):format(cost, cost / one.total * 100))
    end
    table.insert(out, table.concat(line, " | ") .. " |")
  end
  table.insert(out, ("| **all** | **%.0f** | | **%.0f** | | **%.0f** | |\n"):format(counts[1].total, counts[2].total,
    counts[3].total))
  return table.concat(out, "\n")
end

local counts = count_all()
if arg[1] == "stages" then print(stages_text(counts)) end
if arg[1] == "record" then
  record(counts)
  put_into_readme("the stages", stages_text(counts))
end
if arg[1] ~= "stages" then os.exit(compare(counts, dofile(RECORD)) and 0 or 1) end
