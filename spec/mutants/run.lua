-- mutants/run.lua: breaks a copy of the source in one place after another, and asks the specs whether they see it.
--   make mutants                    all of them
--   make mutants MUTANTS=clocks     those of clocks.lua
--   make mutants MUTANTS="paused"   those whose name has these words
-- The lists are beside this file. The copy is build/mutants; the checkout stays as it is.
-- One line for each mutant says what came of it; the exit status is not 0 when one survived, or the list is stale.

local LISTS = { "parser", "connections", "clocks", "loop", "streams", "calls", "secrets" }
local ROOM = "build/mutants"
local SECONDS = 300 -- for the specs of one mutant: one that hangs them is seen

local function succeeds(command)
  local ok = os.execute(command)
  return ok == true or ok == 0
end

local function lines_of(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do table.insert(list, line) end
  pipe:close()
  return list
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- ---------------------------------------------------------------------------------------------------------

local function mutants_of(words)
  local list = {}
  for _, name in ipairs(LISTS) do
    for _, mutant in ipairs(dofile("spec/mutants/" .. name .. ".lua")) do
      local wanted = not words or name == words or mutant[1]:find(words, 1, true)
      if wanted then table.insert(list, mutant) end
    end
  end
  return list
end

local function make_room()
  assert(succeeds(("rm -rf %s/src %s/lua %s/spec && mkdir -p %s"):format(ROOM, ROOM, ROOM, ROOM)))
  -- with the time of now: what an earlier run built of a broken file is older
  assert(succeeds(("git ls-files -z -co --exclude-standard | tar cf - --null -T - | tar xmf - -C %s"):format(ROOM)))
end

-- The one file of the room in which a text stands, and the file's own text; nil and why not.
local sources
local function place_of(text)
  sources = sources or lines_of(("find %s/src %s/lua -name '*.[ch]' -o -name '*.lua'"):format(ROOM, ROOM))
  local found
  for _, path in ipairs(sources) do
    local whole = read(path)
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

-- What comes of the specs in the room: "passed", "does not build", or which spec failed first.
local function check(specs)
  if not succeeds(("make -s -j2 -C %s LUA=5.4 >%s 2>&1"):format(ROOM, LOG)) then return "does not build" end
  local command = "timeout %d make -s -C %s spec LUA=5.4 SPEC='--no-keep-going --exclude-tags=long %s' >%s 2>&1"
  if succeeds(command:format(SECONDS, ROOM, files_of(specs), LOG)) then return "passed" end
  return read(LOG):match("\n%u%l+ %-> [^\n]*\n([^\n]*)") or "the process ended"
end

-- A spec that fails with nothing broken says nothing; one of time may fail by chance, and is asked twice.
local green = {}
local function is_green(spec)
  if green[spec] == nil then
    green[spec] = check(spec) == "passed" or check(spec) == "passed"
    if not green[spec] then print("spec/" .. spec .. "_spec.lua fails with nothing broken, and is not asked") end
  end
  return green[spec]
end

local function green_ones(specs)
  local list = {}
  for spec in specs:gmatch("%S+") do
    if is_green(spec) then table.insert(list, spec) end
  end
  return table.concat(list, " ")
end

-- Returns what to count, and the words for it.
local function try(mutant)
  local what, text, instead, specs = mutant[1], mutant[2], mutant[3], mutant[4]
  local place, why = place_of(text)
  if not place then return "stale", ("%s: %s"):format(what, why) end
  if mutant.equal then return "equal", ("%s: %s"):format(what, mutant.equal) end
  specs = green_ones(specs)
  write(place.path, place.whole:sub(1, place.from - 1) .. instead .. place.whole:sub(place.to + 1))
  local result = check(specs)
  write(place.path, place.whole)
  if result == "does not build" then return "broken", what end
  if result == "passed" then return "SURVIVED", ("%s (%s)"):format(what, specs) end
  return "seen", ("%s\n%12s%s"):format(what, "by ", result)
end

local function main(words)
  local mutants, counts = mutants_of(words), { seen = 0, equal = 0, SURVIVED = 0, stale = 0, broken = 0 }
  make_room()
  for _, mutant in ipairs(mutants) do
    local kind, said = try(mutant)
    counts[kind] = counts[kind] + 1
    print(("%-8s %s"):format(kind, said))
    io.stdout:flush()
  end
  print(("%d mutants: %d seen, %d survived, %d equal, %d stale, %d that do not build"):format(#mutants,
    counts.seen, counts.SURVIVED, counts.equal, counts.stale, counts.broken))
  os.exit(counts.SURVIVED + counts.stale + counts.broken == 0 and 0 or 1)
end

main(arg[1])
