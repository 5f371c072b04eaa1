-- The SSE parser against the WHATWG standard, however the bytes are split.
local sse = require "llm_gateway.sse"

local function drain(parser, list)
  for event in parser:events() do table.insert(list, event.event .. "|" .. event.data .. "|" .. event.id) end
  return list
end

-- All events of a text, fed in pieces of `size` bytes.
local function parse(text, size)
  local parser, list = sse.new(), {}
  size = size or #text
  for at = 1, #text, size do
    assert(parser:feed(text:sub(at, at + size - 1)))
    drain(parser, list)
  end
  return list
end

local CASES = {
  { "one line of data", "data: hi\n\n", { "message|hi|" } },
  { "lines joined by LF", "data: a\ndata: b\n\n", { "message|a\nb|" } },
  { "CR, LF and CRLF", "data: a\r\rdata: b\r\n\r\ndata: c\n\n", { "message|a|", "message|b|", "message|c|" } },
  { "a mix of line ends in one event", "data: a\rdata: b\r\ndata: c\n\r\n", { "message|a\nb\nc|" } },
  { "one optional space", "data:a\n\ndata:  b\n\n", { "message|a|", "message| b|" } },
  { "a type, for one event only", "event: x\ndata: 1\n\ndata: 2\n\n", { "x|1|", "message|2|" } },
  { "an id, which stays", "id: 7\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\n",
    { "message|1|7", "message|2|7", "message|3|" } },
  { "no id with a NUL", "id: 7\ndata: 1\n\nid: a\0b\ndata: 2\n\n", { "message|1|7", "message|2|7" } },
  { "data with a NUL", "data: a\0b\n\n", { "message|a\0b|" } },
  { "comments", ": ping\n\n:\ndata: 1\n: x\n\n", { "message|1|" } },
  { "no event without data", "event: x\n\ndata: 1\n\n", { "message|1|" } },
  { "an event with empty data", "data\n\ndata:\n\ndata\ndata\n\n", { "message||", "message||", "message|\n|" } },
  { "unknown fields", "foo: 1\ndata: 1\nDATA: 2\n\n", { "message|1|" } },
  { "a BOM, once", "\239\187\191data: 1\n\n\239\187\191data: 2\n\n", { "message|1|" } },
  { "what only begins like a BOM", "\239\187data: 1\n\ndata: 2\n\n", { "message|2|" } },
  { "a colon in the value", "data: a:b: c\n\n", { "message|a:b: c|" } },
  { "no unfinished event", "data: 1\n\ndata: 2\n", { "message|1|" } },
}

describe("the SSE parser", function()
  for _, case in ipairs(CASES) do
    it("reads " .. case[1] .. ", whole and in pieces of any size", function()
      for size = 1, #case[2] do assert.same(case[3], parse(case[2], size), "in pieces of " .. size) end
    end)
  end

  it("gives the same events however a stream is cut in three", function()
    local text = "\239\187\191event: a\r\ndata: one\r\ndata: two\r\n\r\n: c\rid: 9\rdata: x\r\rdata: y\n\n"
    local whole = parse(text)
    for first = 1, #text - 1 do
      for second = first + 1, #text do
        local parser, list = sse.new(), {}
        for _, piece in ipairs({ text:sub(1, first), text:sub(first + 1, second), text:sub(second + 1) }) do
          parser:feed(piece)
          drain(parser, list)
        end
        assert.same(whole, list)
      end
    end
  end)

  it("knows the reconnection time, of digits only", function()
    local parser = sse.new()
    assert.is_nil(parser:retry())
    parser:feed("retry: 1500\nretry: 2x\nretry:\n")
    assert.equal(1500, parser:retry())
  end)

  it("hands over the event without its blank line at the end, and starts anew", function()
    local parser = sse.new()
    parser:feed("id: 1\nretry: 5\ndata: a\n\ndata: b")
    assert.equal("a", parser:next().data)
    assert.is_nil(parser:next())
    assert.same({ event = "message", data = "b", id = "1" }, parser:finish())
    assert.is_nil(parser:finish())
    assert.is_nil(parser:retry())
    parser:feed("\239\187\191data: c\n\n")
    assert.same({ event = "message", data = "c", id = "" }, parser:next())
  end)

  it("keeps what was not pulled before the end", function()
    local parser = sse.new()
    parser:feed("data: a\n\ndata: b\n")
    assert.equal("b", parser:finish().data)
    assert.equal("a", parser:next().data)
    assert.is_nil(parser:next())
  end)

  it("gives large events among small ones, however they are cut", function()
    local large, lines = ("x"):rep(70000), {}
    for i = 1, 3000 do lines[i] = ("line %d of an event that is large"):format(i) end
    local text = "data: a\n\nevent: big\nid: 5\ndata: " .. large .. "\n\ndata: b\n\ndata: "
      .. table.concat(lines, "\ndata: ") .. "\n\ndata: c\n\ndata: " .. large .. "\n\n"
    local wanted = {
      "message|a|", "big|" .. large .. "|5", "message|b|5", "message|" .. table.concat(lines, "\n") .. "|5",
      "message|c|5", "message|" .. large .. "|5",
    }
    for _, size in ipairs({ 1000, 4096, 16384, 69999, #text }) do
      assert.same(wanted, parse(text, size))
      local late = sse.new()
      for at = 1, #text, size do late:feed(text:sub(at, at + size - 1)) end
      assert.same(wanted, drain(late, {}))
    end
    local parser = sse.new()
    parser:feed("data: " .. large .. "\n\ndata: b\n\ndata: " .. large)
    assert.equal(large, parser:finish().data)
    assert.equal(large, parser:next().data)
    assert.equal("b", parser:next().data)
    assert.is_nil(parser:next())
    parser:feed("data: " .. large .. "\n\n") -- left to the collector
  end)

  it("refuses an event over the limit, for good, after those before it", function()
    local parser = sse.new({ max_event_bytes = 10 })
    assert.equal(parser, parser:feed("data: 1234567890\n\n"))
    local ok, message = parser:feed("data: ok\n\ndata: 12345678901\n\n")
    assert.is_nil(ok)
    assert.matches("max_event_bytes, 10", message)
    assert.is_nil((parser:feed("data: 1\n\n")))
    assert.equal("1234567890", parser:next().data)
    assert.equal("ok", parser:next().data)
    assert.is_nil(parser:next())
  end)

  it("that has refused goes on with nothing", function()
    local parser = sse.new({ max_event_bytes = 10 })
    assert.is_nil((parser:feed("data: 12345678901\n\n")))
    local ok, message = parser:feed("\n\ndata: 1\n\n")
    assert.is_nil(ok)
    assert.matches("max_event_bytes, 10", message)
    assert.is_nil((parser:next()))
    assert.is_nil((parser:finish()))
  end)

  it("refuses a line that never ends, and data of many lines", function()
    local endless = sse.new({ max_event_bytes = 100 })
    assert.is_nil((endless:feed(("x"):rep(200))))
    local many = sse.new({ max_event_bytes = 100 })
    assert.is_nil((many:feed(("data: 12345\n"):rep(30))))
  end)

  it("refuses a line over the limit, a comment too, however it is cut", function()
    local text = ":" .. ("x"):rep(30) .. "\ndata: 1\n\n"
    for size = 1, #text do
      local parser = sse.new({ max_event_bytes = 10 })
      for at = 1, #text, size do parser:feed(text:sub(at, at + size - 1)) end
      assert.is_nil((parser:feed("")), "in pieces of " .. size)
      assert.is_nil(parser:next(), "in pieces of " .. size)
    end
  end)

  it("takes time linear in the bytes, in long lines of CR and in single bytes #long", function()
    local function seconds(n)
      local parser, started = sse.new(), os.clock()
      parser:feed(("data: x\r\r"):rep(n))
      local line = sse.new()
      for _ = 1, n do line:feed("x") end
      while parser:next() do started = started + 0 end
      return os.clock() - started
    end
    seconds(1000)
    local small, large = seconds(20000), seconds(160000)
    assert.is_true(large < 40 * small + 0.05, ("%g s for 8 times what took %g s"):format(large, small))
  end)

  it("ignores an id that each of its events would have a copy of", function()
    local parser = sse.new()
    parser:feed("id: " .. ("x"):rep(1024) .. "\ndata: 1\n\nid: " .. ("y"):rep(1025) .. "\ndata: 2\n\n")
    assert.equal(("x"):rep(1024), parser:next().id)
    assert.equal(("x"):rep(1024), parser:next().id)
  end)

  it("may be closed by a finalizer while an event is handed over", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    for _ = 1, 300 do
      local parser = sse.new()
      parser:feed(("event: a\nid: 5\ndata: " .. ("x"):rep(100) .. "\n\n"):rep(20))
      setmetatable({}, { __gc = function() parser:close() end })
      for _ = 1, 20 do pcall(parser.next, parser) end
    end
  end)

  it("checks its option", function()
    assert.has_error(function() sse.new({ max_event_bytes = 0 }) end)
    assert.has_error(function() sse.new({ max_event_bytes = "1" }) end)
  end)

  it("has no limit where that is false, or beyond all memory", function()
    local text = "data: " .. ("x"):rep(17 * 2 ^ 20) .. "\n\n"
    assert.is_nil((sse.new():feed(text)))
    for _, max in ipairs({ false, 2 ^ 60, 2 ^ 70, math.huge }) do
      local parser = sse.new({ max_event_bytes = max })
      assert(parser:feed(text))
      assert.equal(17 * 2 ^ 20, #parser:next().data)
    end
  end)

  it("says at the caller's line that a method was called with a point", function()
    local parser = sse.new()
    for _, name in ipairs({ "next", "finish", "events" }) do
      local _, message = pcall(function() local _ = parser[name]() end)
      local words = "sse_spec.lua:%%d+: %s: expected a parser, got nil %%(is it parser:%s%%(%%)%%?"
      assert.matches(words:format(name, name), message)
    end
  end)

  it("refuses what is no option of it, at the caller's line", function()
    local function message_of(options)
      return select(2, pcall(function()
        local parser = sse.new(options)
        return parser
      end))
    end
    assert.matches('sse_spec.lua:%d+: sse.new: unknown option "max_events_bytes": did you mean "max_event_bytes"?',
      message_of({ max_events_bytes = 5 }))
    assert.matches("sse_spec.lua:%d+: sse.new: unknown option 1", message_of({ 5 }))
    assert.matches("sse_spec.lua:%d+: sse.new: expected a table of options, got number", message_of(5))
  end)
end)
