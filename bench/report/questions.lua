-- questions.lua: what the benchmark asks, and of whom: data alone.
-- Each question is a table of the report; each of its rows is a command of bench/programs/, which prints the line that
-- measure.lua describes. Leans on nothing.

local M = {}

-- Who answers: a name, how its program is started, the folder of C modules it wants, what has to be installed.
M.contestants = {
  c = { name = "libcurl alone, in C", command = "build/bench/limits" },
  hand54 = { name = "by hand, Lua 5.4", command = "lua5.4 bench/programs/hand.lua", modules = "5.4" },
  handjit = { name = "by hand, LuaJIT", command = "luajit bench/programs/hand.lua", modules = "jit" },
  ours54 = { name = "llm-gateway, Lua 5.4", command = "lua5.4 bench/programs/ours.lua", modules = "5.4" },
  oursjit = { name = "llm-gateway, LuaJIT", command = "luajit bench/programs/ours.lua", modules = "jit" },
  node = {
    name = "OpenAI's SDK for node", command = "node bench/programs/peer.mjs",
    needs = "build/bench/peers/node_modules/openai/package.json",
  },
  python = {
    name = "OpenAI's SDK for Python", command = "build/bench/peers/python/bin/python bench/programs/peer.py",
    needs = "build/bench/peers/python/done",
  },
}

-- A row: who, then the arguments of its program (WORK URL TIMES WARM SIZE; @ is the server's URL, @@ that with TLS).
-- `limit = true` marks the row that ratios refer to; `name` and `command` stand in for the contestant's own.
local function row(who, arguments, more)
  local one = { who = who, arguments = arguments }
  for name, value in pairs(more or {}) do one[name] = value end
  return one
end

local LIMIT = { limit = true }
local SSE, STREAMS, SPAWN = "build/bench/limits-sse", "build/bench/limits-streams", "build/bench/spawn "

-- The same work for several: arguments of the limit in C (or false), then by contestant.
local function rows(limit, others)
  local list = {}
  if limit then table.insert(list, row("c", limit, LIMIT)) end
  for _, who in ipairs({ "hand54", "handjit", "ours54", "oursjit", "node", "python" }) do
    if others[who] then table.insert(list, row(who, others[who])) end
  end
  return list
end

-- Arguments for all, from `form` and the times that each takes for about half a second: {who = {times, warm}}.
local function scaled(form, times)
  local others = {}
  for who, n in pairs(times) do others[who] = form:format(n[1], n[2], n[3]) end
  return others
end

-- A row of a whole process, started so many times.
local function started(who, times, command, more)
  local one = row(who, command, more)
  one.command = SPAWN .. times
  return one
end

local function with(list, ...)
  for _, one in ipairs({ ... }) do table.insert(list, one.at or #list + 1, one) end
  return list
end

-- ---------------------------------------------------------------------------------------------------------

-- key, title, unit and how many of it are a second (or `value`, a NAME that the programs print), what one unit is.
M.questions = {
  {
    key = "chat", title = "A blocking chat", unit = "µs", per = "a chat",
    note = "One question, one reply of 331 bytes, on a kept connection.",
    rows = with(rows("chat @/chat 3000 200", scaled("chat @/chat %d %d", {
      hand54 = { 3000, 200 }, handjit = { 3000, 500 }, ours54 = { 2000, 200 }, oursjit = { 2000, 500 },
      node = { 500, 300 }, python = { 100, 30 },
    })), row("c", "chat-new @/chat 3000 200", { name = "the same, a new handle each", at = 2 })),
  },
  {
    key = "chunk", title = "A streamed chunk", unit = "µs", per = "a chunk",
    note = "`for chunk in stream` over chunks of 253 bytes that come as fast as they are read.",
    rows = rows("stream @/stream-50000 10 1", {
      hand54 = "stream @/stream-30000 3 1", handjit = "stream @/stream-30000 4 1",
      ours54 = "stream @/stream-30000 3 1", oursjit = "stream @/stream-30000 4 1",
      node = "stream @/stream-20000 3 1", python = "stream @/stream-1000 2 1",
    }),
  },
  {
    key = "texts", title = "A piece of text", unit = "µs", per = "a piece",
    note = "`for text in stream:texts()` over the same chunks.",
    rows = rows(false, { ours54 = "texts @/stream-30000 3 1", oursjit = "texts @/stream-30000 4 1" }),
  },
  {
    key = "collect", title = "A collected chunk", unit = "µs", per = "a chunk",
    note = "10,000 chunks become one reply (`stream:collect()`; the SDKs' `finalChatCompletion` and "
      .. "`get_final_completion`; by hand: the texts alone).",
    rows = rows(false, {
      hand54 = "collect @/stream-10000 4 1", handjit = "collect @/stream-10000 4 1",
      ours54 = "collect @/stream-10000 4 1", oursjit = "collect @/stream-10000 4 1",
      node = "collect @/stream-10000 2 1", python = "collect @/stream-1000 1 1",
    }),
  },
  {
    key = "big", title = "A reply of 10 MB", unit = "ms", per = "a reply",
    note = "One text of 10 MiB.",
    rows = rows("chat @/big-10485760 20 2", scaled("chat @/big-10485760 %d %d", {
      hand54 = { 10, 1 }, handjit = { 10, 1 }, ours54 = { 8, 1 }, oursjit = { 8, 1 }, node = { 10, 2 },
      python = { 8, 1 },
    })),
  },
  {
    key = "base64", title = "64 embeddings of 1,536 numbers, base64", unit = "ms", per = "a reply",
    note = "Decoded into lists of numbers (in C: arrays of float).",
    rows = rows("base64 @/base64-64-1536 100 5", scaled("base64 @/base64-64-1536 %d %d", {
      ours54 = { 40, 4 }, oursjit = { 40, 4 }, node = { 30, 5 }, python = { 20, 3 },
    })),
  },
  {
    key = "floats", title = "64 embeddings of 1,536 numbers, decimals", unit = "ms", per = "a reply",
    note = "The same as JSON numbers.",
    rows = rows("floats @/floats-64-1536 40 2", scaled("floats @/floats-64-1536 %d %d", {
      hand54 = { 20, 2 }, handjit = { 20, 2 }, ours54 = { 20, 2 }, oursjit = { 20, 2 }, node = { 20, 4 },
      python = { 2, 1 },
    })),
  },
  {
    key = "messages", title = "A message sent", unit = "µs", per = "a message",
    note = "A request of 10,000 messages; the limit sends a body that was written before.",
    rows = rows("messages @/chat 100 5 10000", scaled("messages @/chat %d %d 10000", {
      hand54 = { 20, 2 }, handjit = { 20, 2 }, ours54 = { 8, 1 }, oursjit = { 10, 2 }, node = { 20, 3 },
      python = { 1, 1 },
    })),
  },
  {
    key = "parser", title = "The SSE parser in C", unit = "ns", per = "a byte",
    note = "Events of 260 bytes in feeds of 16 kB; `src/sse.c` without anything around it.",
    rows = {
      row("c", "memchr 500 0", { command = SSE, name = "memchr for every line feed", limit = true }),
      row("c", "parser 300 16384", { command = SSE, name = "the parser" }),
      row("c", "parser 20 1", { command = SSE, name = "the parser, fed byte by byte" }),
      row("c", "single 5 16777216", { command = SSE, name = "the parser, one event of 16 MiB" }),
    },
  },
  {
    key = "sse", title = "SSE through Lua", unit = "ns", per = "a byte",
    note = "The same through `llm_gateway.sse`, every event handed over; node has eventsource-parser.",
    rows = with(rows(false, {
      hand54 = "sse - 60 3 16384", handjit = "sse - 100 10 16384", ours54 = "sse - 60 3 16384",
      oursjit = "sse - 100 10 16384",
    }), row("node", "sse - 60 10 16384", { name = "eventsource-parser, node" })),
  },
  {
    key = "streams", title = "An event of 1,000 streams at once", unit = "µs", per = "an event", seconds = 40,
    note = "Each stream has an event every 50 ms, 20,000 a second in all; CPU of the client for one. (300): with "
      .. "300 streams.",
    rows = with(rows(false, {
      ours54 = "streams @/slow-60 1000 0", oursjit = "streams @/slow-60 1000 0", node = "streams @/slow-60 1000 0",
    }), row("c", "@/slow-60 1000", { command = STREAMS, limit = true, at = 1 }),
      row("python", "streams @/slow-20 300 0", { name = "OpenAI's SDK for Python (300)" })),
  },
  {
    key = "delay", title = "From the server's write to the program's hands, of 1,000 streams", unit = "µs", per = "",
    from = "streams", value = "p50",
    note = "The median over every tenth stream of the run above, from the moment in the event's text to the program's "
      .. "clock.",
  },
  {
    key = "rss", title = "Memory of a stream, of 1,000", unit = "kB", per = "a stream", from = "streams", value = "rss",
    note = "The most resident memory of the run above less that before the first stream.",
  },
  {
    key = "many", title = "5,000 streams at once", unit = "of the ideal", per = "", seconds = 40,
    value = "wall", scale = 1 / 3,
    note = "100,000 events a second for three seconds: how long the run takes, in units of those three seconds. The "
      .. "server alone keeps its processor busy with this.",
    rows = with(rows(false, {
      ours54 = "streams @/slow-60 5000 0", oursjit = "streams @/slow-60 5000 0", node = "streams @/slow-60 5000 0",
    }), row("c", "@/slow-60 5000", { command = STREAMS, limit = true, at = 1 })),
  },
  {
    key = "tls", title = "A chat on a new TLS connection", unit = "ms", per = "a chat",
    note = "The server closes after each answer and resumes no session (TLS 1.3, ECDSA P-256).",
    rows = rows("tls @@/close 300 10", scaled("chat @@/close %d %d", {
      ours54 = { 300, 10 }, oursjit = { 300, 10 }, node = { 150, 20 }, python = { 60, 10 },
    })),
  },
  {
    key = "start", title = "Start-up", unit = "ms", per = "a start",
    note = "A whole process: it loads the library and makes a client. The limit is Lua with libcurl and nothing else.",
    rows = {
      started("c", 30, "build/bench/limits start"),
      started("hand54", 30, "lua5.4 -e 'require([[bare]]).easy({})'", { name = "Lua 5.4 and libcurl", limit = true }),
      started("hand54", 30, "lua5.4 bench/programs/hand.lua chat @/chat 1 0", { name = "by hand with a chat" }),
      started("ours54", 30, "lua5.4 -e 'require([[llm_gateway]]).new({})'"),
      started("ours54", 30, "lua5.4 bench/programs/ours.lua chat @/chat 1 0", { name = "llm-gateway with a chat" }),
      started("oursjit", 30, "luajit -e 'require([[llm_gateway]]).new({})'"),
      started("node", 5, M.contestants.node.command .. " start @/chat"),
      started("python", 2, M.contestants.python.command .. " start @/chat 1 1"),
    },
  },
}

-- ---------------------------------------------------------------------------------------------------------
-- Growth: the same unit as the work grows. `form` has one %s for each step.

M.growth = {
  {
    key = "chunk size", title = "A chunk, by the bytes of its text", unit = "µs", per = "a chunk",
    steps = { "5", "100", "1000", "10000", "100000" },
    forms = {
      { "c", "stream @/stream-2000-%s 4 1" }, { "hand54", "stream @/stream-2000-%s 4 1" },
      { "ours54", "stream @/stream-2000-%s 4 1" }, { "oursjit", "stream @/stream-2000-%s 4 1" },
    },
  },
  {
    key = "collected", title = "A collected chunk, by their number", unit = "µs", per = "a chunk",
    steps = { "1000", "10000", "100000", "1000000" },
    forms = {
      { "hand54", "collect @/stream-%s 1 0" }, { "ours54", "collect @/stream-%s 1 0" },
      { "oursjit", "collect @/stream-%s 1 0" },
    },
  },
  {
    key = "messages", title = "A message sent, by their number", unit = "µs", per = "a message",
    steps = { "10", "100", "1000", "10000", "100000" },
    forms = {
      { "hand54", "messages @/chat 4 1 %s" }, { "ours54", "messages @/chat 4 1 %s" },
      { "oursjit", "messages @/chat 4 1 %s" },
    },
  },
  {
    key = "streams", title = "An event, by the streams that are open", unit = "µs", per = "an event",
    steps = { "1", "10", "100", "1000", "4000" },
    forms = {
      { "c", "@/slow-40 %s", command = STREAMS }, { "ours54", "streams @/slow-40 %s 0" },
    },
  },
  {
    key = "feeds", title = "A byte through the SSE parser, by the bytes of a feed", unit = "ns", per = "a byte",
    steps = { "1", "16", "256", "4096", "65536" },
    forms = {
      { "c", "parser 20 %s", command = SSE, name = "the parser in C" },
      { "ours54", "sse - 2 1 %s" }, { "oursjit", "sse - 2 1 %s" },
      { "node", "sse - 3 1 %s", name = "eventsource-parser" },
    },
  },
}

return M
