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

-- Whether the specs are green in the room. A build that fails is told apart.
local function check(specs)
  local log = ROOM .. ".log"
  if not succeeds(("make -s -j2 -C %s LUA=5.4 >%s 2>&1"):format(ROOM, log)) then return "does not build" end
  local command = "timeout %d make -s -C %s spec LUA=5.4 SPEC='--no-keep-going --exclude-tags=long %s' >%s 2>&1"
  if succeeds(command:format(SECONDS, ROOM, files_of(specs), log)) then return "passed" end
  return "seen"
end

local function try(mutant)
  local place, why = place_of(mutant[2])
  if not place then return "stale: " .. why end
  if mutant.equal then return "equal: " .. mutant.equal end
  write(place.path, place.whole:sub(1, place.from - 1) .. mutant[3] .. place.whole:sub(place.to + 1))
  local result = check(mutant[4])
  write(place.path, place.whole)
  return result == "passed" and "SURVIVED " .. mutant[4] or result
end

-- Unbroken, the specs have to pass: else a mutant that they "see" says nothing.
local function check_unbroken(mutants)
  local all, seen = {}, {}
  for _, mutant in ipairs(mutants) do
    for spec in (mutant[4] or ""):gmatch("%S+") do
      if not seen[spec] then table.insert(all, spec) end
      seen[spec] = true
    end
  end
  return all[1] == nil or check(table.concat(all, " ")) == "passed"
end

local function main(words)
  local mutants, counts = mutants_of(words), {}
  make_room()
  if not check_unbroken(mutants) then error("the specs fail with nothing broken: see " .. ROOM .. ".log", 0) end
  for _, mutant in ipairs(mutants) do
    local result = try(mutant)
    local kind = result:match("^%w+")
    counts[kind] = (counts[kind] or 0) + 1
    print(("%-10s %s"):format(result, mutant[1]))
    io.stdout:flush()
  end
  local failed = (counts.SURVIVED or 0) + (counts.stale or 0) + (counts.does or 0)
  print(("%d mutants: %d seen, %d survived, %d equal, %d stale, %d that do not build"):format(#mutants,
    counts.seen or 0, counts.SURVIVED or 0, counts.equal or 0, counts.stale or 0, counts.does or 0))
  os.exit(failed == 0 and 0 or 1)
end

main(arg[1])
