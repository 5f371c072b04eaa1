-- mutants/run.lua: breaks a copy of the source in one place after another, and asks the specs whether they see it.
--   make mutants                    all of them
--   make mutants MUTANTS=clocks     those of clocks.lua
--   make mutants MUTANTS="paused; a socket"   those whose names have one of these words
-- The lists are beside this file: {what, the text, instead of it, specs}, the spec that sees it first; `only = WORDS`
-- asks only tests whose names have them, for specs that take long; `equal = REASON` where nothing could see it.
-- The copy is build/mutants; the checkout stays as it is. One line for each mutant says what came of it; at the end
-- those that survived stand together. The exit status is not 0 when one survived, or the list is stale.

local shell = require "spec.shell"

local LISTS = { "parser", "connections", "clocks", "loop", "streams", "calls", "secrets" }
local ROOM = "build/mutants"
local SECONDS, SECONDS_OF_FEW = 150, 90 -- for the specs of one mutant, or single tests: one that hangs them is seen

-- ---------------------------------------------------------------------------------------------------------

local function is_wanted(words, list, name)
  if not words then return true end
  for some in words:gmatch("[^;]+") do
    some = some:match("^%s*(.-)%s*$")
    local is_list = (" " .. table.concat(LISTS, " ") .. " "):find(" " .. some .. " ", 1, true)
    if list == some or (not is_list and name:find(some, 1, true)) then return true end
  end
  return false
end

local function mutants_of(words)
  local list = {}
  for _, name in ipairs(LISTS) do
    for _, mutant in ipairs(dofile("spec/mutants/" .. name .. ".lua")) do
      if is_wanted(words, name, mutant[1]) then table.insert(list, mutant) end
    end
  end
  return list
end

local function make_room()
  assert(shell.succeeds(("rm -rf %s/src %s/lua %s/spec && mkdir -p %s"):format(ROOM, ROOM, ROOM, ROOM)))
  -- with the time of now: what an earlier run built of a broken file is older
  assert(shell.succeeds(("git ls-files -z -co --exclude-standard | tar cf - --null -T - | tar xmf - -C %s"):format(ROOM)))
end

-- The one file of the room in which a text stands, and the file's own text; nil and why not.
local sources
local function place_of(text)
  sources = sources or shell.lines(("find %s/src %s/lua -name '*.[ch]' -o -name '*.lua'"):format(ROOM, ROOM))
  local found
  for _, path in ipairs(sources) do
    local whole = shell.read(path)
    local from, to = whole:find(text, 1, true)
    if from and (found or whole:find(text, to + 1, true)) then return nil, "it stands in more than one place" end
    if from then found = { path = path, whole = whole, from = from, to = to } end
  end
  return found, "it stands nowhere"
end

local function files_of(specs)
  return (specs:gsub("%S+", "spec/%0_spec.lua"))
end

local LOG = ROOM .. ".log"

local function run(specs, only)
  local filter = only and "--filter=" .. only:gsub("[^%w]", ".") or "" -- busted asks a shell of its own
  local arguments = ("--no-keep-going --exclude-tags=long %s %s"):format(filter, files_of(specs))
  local command = "timeout %d make -s -C %s spec LUA=5.4 SPEC='%s' >%s 2>&1"
  if shell.succeeds(command:format(only and SECONDS_OF_FEW or SECONDS, ROOM, arguments, LOG)) then return "passed" end
  return shell.read(LOG):match("\n%u%l+ %-> [^\n]*\n([^\n]*)") or "the process ended"
end

-- What comes of the specs in the room: "passed", "does not build", or which spec failed first. One of time may fail by
-- chance, and is asked twice.
local function check(specs, only)
  if not shell.succeeds(("make -s -j2 -C %s LUA=5.4 >%s 2>&1"):format(ROOM, LOG)) then return "does not build" end
  local result = run(specs, only)
  return result:find("#timed", 1, true) and run(specs, only) or result
end

-- A spec that fails with nothing broken says nothing.
local green = {}
local function is_green(spec, only)
  local key = spec .. " " .. (only or "")
  if green[key] == nil then
    local result = check(spec, only)
    green[key] = result == "passed"
    if not green[key] then
      print(("spec/%s_spec.lua fails with nothing broken, and is not asked (%s)"):format(spec, result))
    end
  end
  return green[key]
end

local function green_ones(specs, only)
  local list = {}
  for spec in specs:gmatch("%S+") do
    if is_green(spec, only) then table.insert(list, spec) end
  end
  return table.concat(list, " ")
end

-- Returns what to count, and the words for it.
local function try(mutant)
  local what, text, instead, specs = mutant[1], mutant[2], mutant[3], mutant[4]
  local place, why = place_of(text)
  if not place then return "stale", ("%s: %s"):format(what, why) end
  if mutant.equal then return "equal", ("%s: %s"):format(what, mutant.equal) end
  specs = green_ones(specs, mutant.only)
  shell.write(place.path, place.whole:sub(1, place.from - 1) .. instead .. place.whole:sub(place.to + 1))
  local result = specs == "" and "passed" or check(specs, mutant.only)
  shell.write(place.path, place.whole)
  if result == "does not build" then return "broken", what end
  if result == "passed" then return "SURVIVED", ("%s (%s)"):format(what, specs) end
  return "seen", ("%s\n%12s%s"):format(what, "by ", result)
end

local function main(words)
  local mutants, counts = mutants_of(words), { seen = 0, equal = 0, SURVIVED = 0, stale = 0, broken = 0 }
  local open = {}
  make_room()
  for _, mutant in ipairs(mutants) do
    local kind, said = try(mutant)
    local line = ("%-8s %s"):format(kind, said)
    counts[kind] = counts[kind] + 1
    if kind ~= "seen" and kind ~= "equal" then table.insert(open, line) end
    print(line)
    io.stdout:flush()
  end
  if open[1] then print("\nTo be seen to:\n" .. table.concat(open, "\n")) end
  print(("%d mutants: %d seen, %d survived, %d equal, %d stale, %d that do not build"):format(#mutants,
    counts.seen, counts.SURVIVED, counts.equal, counts.stale, counts.broken))
  os.exit(counts.SURVIVED + counts.stale + counts.broken == 0 and 0 or 1)
end

main(arg[1])
