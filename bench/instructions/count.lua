-- count.lua: instructions for a chat, for a chunk and for a collected chunk, held against those recorded.
-- Each is the difference between two runs of bench/programs/ours.lua, a short and a long one, so that start-up cancels
-- out. Instructions do not depend on how busy the machine is. Leans on callgrind.lua,
-- vm.lua, stages.lua and bench/place.lua.
--
--   lua5.4 bench/instructions/count.lua [record|stages]
--
-- Fails when one is more than TOLERANCE above what bench/instructions/recorded.lua says. One that is as far below is
-- said to be: the record should be renewed then, or the next regression hides in the difference. `record` writes that
-- file, and into bench/README.md where the instructions go; `stages` prints the latter alone.

package.path = package.path .. ";bench/?.lua;bench/instructions/?.lua"
local callgrind = require "callgrind"
local place = require "place"
local readme = require "readme"
local stages = require "stages"
local vm = require "vm"

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
  local total, by_stage, said = callgrind.run(command, "build/bench/callgrind.out")
  local units = tonumber(said:match("^%S+ %S+ (%d+)"))
  if not units then error(("%s failed: %s"):format(command, said), 0) end
  return { total = total, stages = by_stage, units = units }
end

-- What one unit takes: {total, stages}.
local function count(url, entry)
  local short, long = run(url, entry[2], entry[3], entry[4]), run(url, entry[2], entry[5], entry[6])
  local units, by_stage = long.units - short.units, {}
  for stage, cost in pairs(long.stages) do by_stage[stage] = (cost - (short.stages[stage] or 0)) / units end
  return { total = (long.total - short.total) / units, stages = by_stage }
end

local function count_all(server)
  local counts = {}
  for i, entry in ipairs(COUNTS) do counts[i] = count(server.url, entry) end
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

-- Both tables: callgrind's by stage, Lua's own by file.
local function stages_text(counts, by_file)
  local columns = {}
  for i, one in ipairs(counts) do columns[i] = one.stages end
  return stages.text("stage", columns) .. "\n" .. stages.text("instructions of Lua's machine, by file", by_file)
end

local server = place.start()
local counts = count_all(server)
local text = arg[1] and stages_text(counts, vm.count_all(server.url))
server:stop()
if arg[1] == "stages" then print(text) end
if arg[1] == "record" then
  record(counts)
  readme.put("the stages", text)
end
if arg[1] ~= "stages" then os.exit(compare(counts, dofile(RECORD)) and 0 or 1) end
