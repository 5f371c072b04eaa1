-- Events that differ from the last in their piece of text alone: they are not parsed, and nobody may notice.
local llm = require "llm_gateway"
local reading = require "llm_gateway.reply.reading"
local support = require "spec.support"

local START = '{"id":"a","object":"chat.completion.chunk","created":1700000000123,"n":1.5,'
  .. '"choices":[{"index":0,"delta":{'
local HALF = "\\ud83d"

local function event(text, rest)
  return START .. '"content":"' .. text .. '"},"finish_reason":null}]' .. (rest or "") .. "}"
end

local END = START .. '},"finish_reason":"stop"}]}'

describe("an event like the last", function()
  local gateway = support.gateway()

  local function client_of(body)
    return support.scripted(gateway, { support.answer(body, { type = "text/event-stream", length = false }) })
  end

  local function body_of(events)
    return "data: " .. table.concat(events, "\n\ndata: ") .. "\n\n"
  end

  it("adds the text that it brought, even where the stream was closed since", function()
    local client = client_of(body_of({ event("a"), event("b"), event("c"), event("d") }))
    local stream, chunk = assert(client:chat(support.ask("x", { stream = true })))
    for _ = 1, 3 do chunk = assert(stream:next()) end
    assert.is_truthy(stream.alike)
    stream:close()
    assert.equal("c", reading.text_of(stream, chunk))
  end)

  local function open(client, is_looking)
    local stream = llm.assert(client:chat(support.ask("x", { stream = true })))
    stream.reader.looks = is_looking
    return stream
  end

  local READERS = {}

  function READERS.next(stream)
    local out = {}
    repeat
      local chunk, err = stream:next()
      local text = chunk and reading.text_of(stream, chunk)
      table.insert(out, { chunk or tostring(err), text, stream.reader:partial_text() })
    until not chunk
    return out
  end

  READERS["for"] = function(stream)
    local out = {}
    local ok, err = pcall(function() for chunk in stream do table.insert(out, chunk) end end)
    table.insert(out, { ok, tostring(err), type(err) == "table" and err.partial, stream.reader:partial_text() })
    return out
  end

  function READERS.texts(stream)
    local out = {}
    local ok, err = pcall(function() for text in stream:texts() do table.insert(out, text) end end)
    table.insert(out, { ok, tostring(err), type(err) == "table" and err.partial, stream.reader:partial_text() })
    return out
  end

  function READERS.collect(stream)
    local reply, err = stream:collect()
    return { reply, tostring(err), err and err.partial, stream.reader:partial_text() }
  end

  function READERS.mixed(stream)
    local out, i = {}, 0
    while true do
      i = i + 1
      local value = i % 3 == 0 and stream:events()() or i % 3 == 1 and stream:texts()() or stream:next()
      if value == nil then return out end
      table.insert(out, value)
    end
  end

  -- Whatever reads them finds the same with and without a look at each.
  local function check(events)
    local body = body_of(events)
    local client = client_of(body)
    for name, read in pairs(READERS) do
      local ok, plain = pcall(read, open(client, false))
      local second_ok, quick = pcall(read, open(client, true))
      plain, quick = ok and plain or tostring(plain), second_ok and quick or tostring(quick)
      assert.same(plain, quick, name .. " of " .. body)
    end
  end

  -- How many of these events are read, and the chunks.
  local function reads_of(events)
    local stream, reads, chunks = open(client_of(body_of(events)), true), 0, {}
    local reader = stream.reader
    function reader.read(...)
      reads = reads + 1
      return getmetatable(reader).read(...)
    end
    for chunk in stream do table.insert(chunks, chunk) end
    return reads, chunks
  end

  it("is not looked at", function()
    local function plain(i) return event("w" .. i) end
    local function padded(i) return event("w" .. i, (',"obfuscation":"%s"'):format(("x"):rep(i))) end
    local function in_front(i) return ('{"obfuscation":"%s",'):format(("x"):rep(i)) .. event("w" .. i):sub(2) end
    for _, make in ipairs({ plain, padded, in_front }) do
      local events = {}
      for i = 1, 200 do events[i] = make(i) end
      table.insert(events, END)
      table.insert(events, "[DONE]")
      local reads, chunks = reads_of(events)
      assert.is_true(reads < 10)
      assert.equal(201, #chunks)
      assert.equal("w200", chunks[200].choices[1].delta.content)
      assert.equal(make ~= plain and ("x"):rep(200) or nil, chunks[200].obfuscation)
      assert.is_nil(chunks[200].choices[1].finish_reason)
      assert.not_equal(chunks[199].choices[1], chunks[200].choices[1])
    end
  end)

  it("may be of another kind every now and then", function()
    local events = {}
    for i = 1, 200 do events[i] = event("w" .. i, (',"n%d":1'):format(math.ceil(i / 10))) end
    table.insert(events, END)
    table.insert(events, "[DONE]")
    assert.is_true(reads_of(events) < 60)
  end)

  it("leaves no more of its text than an error shows #long", function()
    local events = { event("a"), event("b") }
    for i = 3, 102 do events[i] = event(("w"):rep(40000)) end
    local stream = open(client_of(body_of(events)), true)
    for _ = 1, 100 do assert(stream:next()) end
    assert.equal(2 ^ 20 + 8192, #stream.alike:pieces())
    stream:close()
  end)

  it("has any text", function()
    check({
      event("a"), event("b"), event(""), event("\\n"), event('\\"'), event("\\\\"), event('\\\\\\"x'),
      event("\\/\\b\\f\\r\\t"),
      event("\195\164\240\159\152\128"), event("\255\1"), event("c"), event("\\u00e4"), event("d"), event("e"),
      event(("long "):rep(5000)), event("f"), event(HALF), event("\\ude00g"), event("h"), event("i" .. HALF),
      event("j"), END, "[DONE]",
    })
  end)

  it("is not one that only looks like it", function()
    for _, odd in ipairs({
      event('x","content":"y'), event('x"},"delta":{"content":"y'), event("x\\"), event("x\\x"), event("x\\u12"),
      event('x","role":"assistant'), event('x"}}],"error":{"message":"bad'), event("x", ',"usage":{"total_tokens":3}'),
      event("x", ',"error":"bad"'), event("x", ',"choices":[]'), event("x") .. "}", event("x"):sub(1, -2), "", "5",
      '{"error":{"message":"bad"}}', START:gsub("0,", "1,") .. '"content":"z"}}]}', "[DONE]",
      START .. '"content":"x"},"finish_reason":"length"}]}', START .. '"content":["x"]}}]}',
      "\239\187\191" .. event("x"), (event("x"):gsub("null", '"no"')),
    }) do
      check({ event("a"), event("b"), odd, event("c"), event("d"), END, "[DONE]" })
    end
  end)

  it("follows one that was learned, whatever that was", function()
    for _, first in ipairs({
      { "" }, { ',"usage":{"a":1}' }, { ',"x_groq":{"usage":{"a":1}}' }, { ',"x":[1,{"y":null,"z":"\\u00e4"},-0.5]' },
      { ',"object":"chat.completion"' },
      { ',"created":1,"big":12345678901234567890,"t":true,"f":false,"e":{},"l":[]' },
    }) do
      local function like(text) return event(text, first[1]) end
      check({ like("a"), like("b"), like("c"), event("d"), like("e"), like("f"), END, "[DONE]" })
    end
    for _, fields in ipairs({
      '"role":"assistant"', '"reasoning_content":"r"', '"tool_calls":[]', '"refusal":"no"', '"extra":{"a":1}',
      '"note":"x"',
    }) do
      local function like(text) return START .. fields .. ',"content":"' .. text .. '"}}]}' end
      check({ like("a"), like("b"), like("c"), like("d"), END, "[DONE]" })
    end
    for _, fields in ipairs({
      '"logprobs":{"content":[{"token":"x"}]}', '"text":"t"', '"message":{"content":"m"}', '"finish_reason":"null"',
      '"index":"0"', '"stop_reason":"x"', '"flags":{"a":{"b":false}}', '"finish_reason":"stop"',
    }) do
      local function like(text) return '{"choices":[{' .. fields .. ',"delta":{"content":"' .. text .. '"}}]}' end
      check({ like("a"), like("b"), like("c"), like("d"), END, "[DONE]" })
    end
  end)

  it("may have padding of another length", function()
    local function padded(text, padding) return event(text, ',"obfuscation":"' .. padding .. '"') end
    local function in_front(text, padding) return '{"obfuscation":"' .. padding .. '",' .. event(text):sub(2) end
    local last = in_front("", "z"):gsub('"content":""', ""):gsub("null", '"stop"')
    for _, like in ipairs({ padded, in_front }) do
      check({
        like("a", "x"), like("b", ""), like("c", "yyyy"), like('\\"d', "\\n"), like("e", '\\"\\\\'), like("", "u"),
        like("f", 'x","n":"1'), like("g", 'y","error":{"message":"bad"},"o":"'), like('h","x":"', "y"),
        like("i", HALF), like("j", "k"), last,
        "[DONE]",
      })
    end
  end)

  it("is one of the stream's own choice", function()
    local function of(index, text)
      return ('{"choices":[{"index":%s,"delta":{"content":"%s"}}]}'):format(index, text)
    end
    check({ of(1, "a"), of(1, "b"), of(1, "c"), of(0, "d"), of(0, "e"), of(0, "f"), of(1, "g"), of(1, "h"),
      "[DONE]" })
    check({ of(-1, "a"), of(-1, "b"), of(0.5, "c"), of(0.5, "c"), of("NaN", "d"), of("NaN", "e"), "[DONE]" })
  end)

  it("may come again after the end of its choice, or be the last", function()
    check({ event("a"), event("b"), END, event("c"), event("d"), "[DONE]" })
    check({ event("a"), event("b"), event("c") })
    check({ event("a"), event("b"), event("c"), END })
  end)

  it("has no name", function()
    local body = body_of({ event("a"), event("b") }) .. "event: error\n" .. body_of({ event("c") })
    local client = client_of(body)
    for _, read in pairs({ READERS.next, READERS.collect, READERS.texts }) do
      assert.same(read(open(client, false)), read(open(client, true)))
    end
  end)

  it("is like one of any bytes", function()
    math.randomseed(7)
    local parts = { "a", '"', "\\", "\\n", "}", "{", ",", ":", "]", " ", "u", HALF, "\\ude00", "0", "null",
      '"content":"',
    }
    for _ = 1, 60 do
      local events = { event("a"), event("b") }
      for i = 3, 8 do
        local text = {}
        for j = 1, math.random(0, 5) do text[j] = parts[math.random(#parts)] end
        events[i] = event(table.concat(text))
        if math.random(4) == 1 then
          local at = math.random(#events[i])
          events[i] = events[i]:sub(1, at - 1) .. parts[math.random(#parts)] .. events[i]:sub(at + math.random(0, 2))
        end
      end
      table.insert(events, END)
      table.insert(events, "[DONE]")
      check(events)
    end
  end)

  it("counts as a chunk of its task's turn", function()
    local events = {}
    for i = 1, 500 do events[i] = event("w" .. i) end
    table.insert(events, "[DONE]")
    local client, turns, most = client_of(body_of(events)), 0, 0
    llm.run(function()
      local reader = llm.spawn(function()
        local stream, since, seen = open(client, true), 0, turns
        while stream:next() do
          since = seen == turns and since + 1 or 0
          seen, most = turns, math.max(most, since)
        end
      end)
      llm.spawn(function()
        while reader:status() ~= "done" do
          turns = turns + 1
          coroutine.yield()
        end
      end)
    end)
    assert.is_true(most > 10 and most <= 64)
  end)

  it("is handed over while a finalizer closes its stream, or reads it", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    local events = {}
    for i = 1, 100 do events[i] = event("w" .. i) end
    table.insert(events, END)
    local client = client_of(body_of(events))
    for round = 1, 40 do
      local stream, taken = open(client, true), 0
      for _ = 1, 10 do assert.is_table(stream:next()) end
      setmetatable({}, { __gc = function()
        if round % 2 == 0 then stream:close() elseif stream:next() then taken = taken + 1 end
      end })
      local count = 10
      for chunk in function() return (stream:next()) end do
        assert.equal("w", chunk.choices[1].delta.content and chunk.choices[1].delta.content:sub(1, 1) or "w")
        count = count + 1
      end
      if round % 2 == 1 then assert.equal(101, count + taken) end
    end
  end)

  it("is kept for the error of a stream that breaks off, 1 MiB of it #long", function()
    local events = {}
    for i = 1, 100 do events[i] = event(("%04d"):format(i):rep(4000)) end
    local _, err = open(client_of(body_of(events)), true):collect()
    local _, plain = open(client_of(body_of(events)), false):collect()
    assert.equal(2 ^ 20, #err.partial)
    assert.equal(plain.partial, err.partial)
  end)
end)
