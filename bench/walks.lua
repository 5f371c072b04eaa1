-- walks.lua: prints how many Lua functions, files and C functions five calls go through.
-- A debug hook counts: the figures depend neither on the machine nor on the files' names.
-- Leans on bench/place.lua. Each walk is taken several times and the shortest is printed, because how often a call
-- steps the loop depends on the network. A chunk that should have been waited for may have come already: of those the
-- median is printed.
--
--   lua5.4 bench/walks.lua [record]     `record` puts the table into bench/README.md too

package.path = package.path .. ";bench/?.lua"
local llm = require "llm_gateway"
local place = require "place"
local readme = require "readme"

local TIMES = 20

-- The core's own functions: those of its table, of the tables in that, and of its classes' metatables.
local of_core = {}

local function gather(value)
  if type(value) == "function" then of_core[value] = true end
  if type(value) ~= "table" or of_core[value] then return end
  of_core[value] = true
  for _, inner in pairs(value) do gather(inner) end
end

gather(require("llm_gateway.core"))
for name, class in pairs(debug.getregistry()) do
  if type(name) == "string" and name:find("^llm_gateway") then gather(class) end
end

-- Runs fn. Returns what was called meanwhile: calls of the library's Lua functions, the files these are in, entries
-- into the core, and calls of other C functions (Lua's own and lua-cjson's).
local function walk(fn)
  local seen = { calls = 0, files = 0, entries = 0, others = 0 }
  local known = {}
  local function hook()
    local info = debug.getinfo(2, "Sf")
    local file = info.source:match("llm_gateway[/.].*%.lua$")
    if of_core[info.func] and info.what == "C" then seen.entries = seen.entries + 1
    elseif info.what == "C" then seen.others = seen.others + 1
    elseif file then
      seen.calls = seen.calls + 1
      if not known[file] then seen.files = seen.files + 1 end
      known[file] = true
    end
  end
  debug.sethook(hook, "c")
  fn()
  debug.sethook()
  seen.others = seen.others - 1 -- the last sethook
  return seen
end

local server = place.start()
local question = { messages = { { role = "user", content = "Hello!" } } }
local streaming = { messages = question.messages, stream = true }

local function client_of(path)
  return llm.new({ base_url = server.url .. path, api_key = "gw_bench", max_retries = 0 })
end

local plain, fast, slow, denied =
  client_of("/chat"), client_of("/stream-64"), client_of("/slow-1000"), client_of("/denied")

local function chat()
  return walk(function() assert(plain:chat(question)) end)
end

-- The first two may come together; from then on there are 50 ms between two chunks.
local function waited_chunk()
  local stream = assert(slow:chat(streaming))
  stream:next()
  stream:next()
  local seen = walk(function() stream:next() end)
  stream:close()
  return seen
end

-- The first chunk was waited for; the second lies in the parser's queue.
local function queued_chunk()
  local stream = assert(fast:chat(streaming))
  stream:next()
  local seen = walk(function() stream:next() end)
  stream:collect()
  return seen
end

local function denial()
  return walk(function() assert(not denied:chat(question)) end)
end

local function cancel()
  local stream = assert(slow:chat(streaming))
  stream:next()
  return walk(function() stream:close() end)
end

-- Of many walks the shortest; or, for `rank`, the one of that rank.
local function best_of_many(take, rank)
  local all = {}
  for i = 1, TIMES do all[i] = take() end
  table.sort(all, function(x, y) return x.calls < y.calls end)
  return all[rank or 1]
end

local WALKS = {
  { "chat", chat }, { "waited chunk", waited_chunk, TIMES / 2 }, { "queued chunk", queued_chunk },
  { "denial", denial }, { "cancel", cancel },
}

local taken = {}
for i, entry in ipairs(WALKS) do taken[i] = best_of_many(entry[2], entry[3]) end
server:stop()

local function rows(form, head)
  local out = { form:format("", "Lua calls", "files", "core's C", "other C") .. (head or "") }
  for i, entry in ipairs(WALKS) do
    local seen = taken[i]
    table.insert(out, form:format(entry[1], seen.calls, seen.files, seen.entries, seen.others))
  end
  return table.concat(out, "\n")
end

print(rows("%-14s %9s %6s %9s %9s"))
if arg[1] == "record" then
  readme.put("the walks", rows("| %s | %s | %s | %s | %s |", "\n|---|---:|---:|---:|---:|") .. "\n")
end
