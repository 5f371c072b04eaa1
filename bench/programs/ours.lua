-- ours.lua: each work of the benchmark, done with this library as its README says.
-- Leans on measure.lua.
--
--   ours.lua WORK URL TIMES WARM [SIZE]     prints a line (see measure.lua)

package.path = package.path .. ";bench/programs/?.lua"
local bare = require "bare"
local llm = require "llm_gateway"
local measure = require "measure"

local work, url, times, warm, size = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5])
local question = { model = "gpt-4", messages = { { role = "user", content = "Hello!" } } }
local streaming = { model = "gpt-4", messages = question.messages, stream = true }

local function client_of(more)
  local options = { base_url = url, api_key = "gw_bench", max_retries = 0 }
  for name, value in pairs(more or {}) do options[name] = value end
  return llm.new(options)
end

local client = url ~= "-" and client_of(os.getenv("BENCH_CA") and { ca_file = os.getenv("BENCH_CA") })

-- Does fn() so many times. Returns the units that it did: one each time, unless fn says otherwise.
local function repeated(fn)
  return function(n)
    local units = 0
    for _ = 1, n do units = units + (fn() or 1) end
    return units
  end
end

local WORKS = {}

WORKS.chat = repeated(function()
  local reply = llm.assert(client:chat(question))
  assert(#reply:text() > 0)
end)

WORKS.stream = repeated(function()
  local chunks = 0
  for chunk in llm.assert(client:chat(streaming)) do
    assert(chunk.choices[1])
    chunks = chunks + 1
  end
  return chunks
end)

WORKS.texts = repeated(function()
  local chunks = 0
  for text in llm.assert(client:chat(streaming)):texts() do chunks = chunks + (#text > 0 and 1 or 0) end
  return chunks
end)

WORKS.collect = repeated(function()
  local reply = llm.assert(llm.assert(client:chat(streaming)):collect())
  return #reply:text() / 5 -- bytes in a chunk
end)

local function embed(format)
  return repeated(function()
    local reply = llm.assert(client:embeddings({ input = "x", encoding_format = format }))
    assert(#reply.data[1].embedding == 1536)
  end)
end

WORKS.base64, WORKS.floats = embed("base64"), embed("float")

-- A request of `size` messages; the units are messages.
function WORKS.messages(n)
  local messages = {}
  for i = 1, size do
    messages[i] = { role = i % 2 == 1 and "user" or "assistant", content = ("Message %d of them"):format(i) }
  end
  for _ = 1, n do llm.assert(client:chat({ model = "gpt-4", messages = messages })) end
  return n * size
end

-- A megabyte of events in feeds of `size` bytes; the units are bytes.
function WORKS.sse(n)
  local sse = require "llm_gateway.sse"
  local text = ("data: " .. ("x"):rep(252) .. "\n\n"):rep(4096)
  for _ = 1, n do
    local parser, events = sse.new(), 0
    for at = 1, #text, size do
      parser:feed(text:sub(at, at + size - 1))
      while parser:next() do events = events + 1 end
    end
    assert(events == 4096)
  end
  return n * #text
end

-- ---------------------------------------------------------------------------------------------------------

local delays, events = {}, 0

local function read(timed)
  local stream = llm.assert(client:chat(streaming))
  local chunk, err = stream:next()
  while chunk do
    events = events + 1
    local moment = timed and tonumber(chunk.choices[1].delta.content)
    if moment then table.insert(delays, bare.now() * 1e6 - moment / 1e3) end
    chunk, err = stream:next()
  end
  if err then error(err, 0) end
end

-- `times` streams at once; every tenth one's delays are noted.
local function streams()
  local before, started = bare.rss(), measure.start()
  llm.run(function()
    for i = 1, times do llm.spawn(read, i % 10 == 1) end
  end)
  local p50, p99 = measure.percentiles(delays)
  measure.finish(started, events, { p50 = p50, p99 = p99, rss = (bare.peak() - before) / times })
end

if work == "streams" then streams() else measure.run(WORKS[work], times, warm) end
