-- hand.lua: works of the benchmark by hand: the shortest Lua that does them rightly on a bare libcurl binding
-- (bare.c) and lua-cjson, without any of this library's checks, errors, retries or clocks.
--
--   hand.lua WORK URL TIMES WARM [SIZE]     prints a line (see measure.lua)

package.path = package.path .. ";bench/programs/?.lua"
local bare = require "bare"
local cjson = require "cjson"
local measure = require "measure"

local work, url, times, warm, size = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5])
local question = { model = "gpt-4", messages = { { role = "user", content = "Hello!" } } }
local easy = bare.easy({ "Content-Type: application/json", "Authorization: Bearer gw_bench", "Expect:" })

local function post(body)
  local status, text = easy:post(url .. "/v1/chat/completions", cjson.encode(body))
  if status ~= 200 then error(("%s: %s"):format(status, text)) end
  return cjson.decode(text)
end

-- A reader of events: call it with what comes; it calls on_data with each data line's text. (No server of chats
-- sends an event of two lines.)
local function reader(on_data)
  local rest = ""
  return function(bytes)
    local text, at = rest .. bytes, 1
    local last = text:find("\n", at, true)
    while last do
      if text:sub(at, at + 4) == "data:" then on_data(text:sub(at + 5, last - 1)) end
      at = last + 1
      last = text:find("\n", at, true)
    end
    rest = text:sub(at)
  end
end

-- Calls on_chunk for each chunk of a streamed answer.
local function stream(on_chunk)
  local body = cjson.encode({ model = "gpt-4", messages = question.messages, stream = true })
  local status, message = easy:post(url .. "/v1/chat/completions", body, reader(function(data)
    if not data:find("[DONE]", 1, true) then on_chunk(cjson.decode(data)) end
  end))
  if status ~= 200 then error(("%s: %s"):format(status, message)) end
end

local function repeated(fn)
  return function(n)
    local units = 0
    for _ = 1, n do units = units + (fn() or 1) end
    return units
  end
end

local WORKS = {}

WORKS.chat = repeated(function() assert(#post(question).choices[1].message.content > 0) end)

WORKS.stream = repeated(function()
  local chunks = 0
  stream(function(chunk) chunks = chunks + (chunk.choices[1] and 1 or 0) end)
  return chunks
end)

WORKS.collect = repeated(function()
  local parts, n = {}, 0
  stream(function(chunk)
    local text = chunk.choices[1].delta.content
    if text then
      n = n + 1
      parts[n] = text
    end
  end)
  return #table.concat(parts) / 5
end)

WORKS.floats = repeated(function() assert(#post({ input = "x" }).data[1].embedding == 1536) end)

function WORKS.messages(n)
  local messages = {}
  for i = 1, size do
    messages[i] = { role = i % 2 == 1 and "user" or "assistant", content = ("Message %d of them"):format(i) }
  end
  for _ = 1, n do post({ model = "gpt-4", messages = messages }) end
  return n * size
end

-- A megabyte of events in feeds of `size` bytes; the units are bytes.
function WORKS.sse(n)
  local text = ("data: " .. ("x"):rep(252) .. "\n\n"):rep(4096)
  for _ = 1, n do
    local events = 0
    local feed = reader(function(data) events = events + (#data > 0 and 1 or 0) end)
    for at = 1, #text, size do feed(text:sub(at, at + size - 1)) end
    assert(events == 4096)
  end
  return n * #text
end

measure.run(WORKS[work], times, warm)
