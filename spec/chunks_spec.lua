-- What servers send as chunks, and what a stream makes of them: halves of characters, odd choices, tool calls.
local llm = require "llm_gateway"
local support = require "spec.support"

local delta = support.delta
local unpack = table.unpack or unpack -- luacheck: read globals unpack
local GRIN, UNKNOWN = "\240\159\152\128", "\239\191\189"

describe("chunks", function()
  local gateway = support.gateway()

  local function open(events)
    return llm.assert(support.streaming(gateway, events):chat(support.ask("x", { stream = true })))
  end

  local function collect(events)
    table.insert(events, "[DONE]")
    return assert(open(events):collect())
  end

  local function message(events) return collect(events).choices[1].message end

  it("join a character that was split over two pieces of a tool call's arguments", function()
    local function arguments(index, text)
      return delta(('"delta":{"tool_calls":[{"index":%d,"function":{"arguments":"%s"}}]}'):format(index, text))
    end
    local calls = message({
      arguments(0, "a\\ud83d"), arguments(1, "\\ud83d"), arguments(0, "\\ude00b"), arguments(1, "\\ude00"),
      delta('"delta":{},"finish_reason":"tool_calls"'),
    }).tool_calls
    assert.equal("a" .. GRIN .. "b", calls[1]["function"].arguments)
    assert.equal(GRIN, calls[2]["function"].arguments)
  end)

  it("put U+FFFD for half a character in any text of theirs", function()
    local reply = collect({
      '{"id":"\\ud83d","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop","note":"\\ude00"}]}',
    })
    assert.same({ UNKNOWN, UNKNOWN, "a" }, { reply.id, reply.choices[1].note, reply:text() })
  end)

  it("lose no half that is never completed, whatever text it ends", function()
    local whole = message({
      delta('"delta":{"reasoning_content":"r\\ud83d"}'), delta('"delta":{"content":"c\\ud83d"}'),
      delta('"delta":{},"finish_reason":"stop"'),
    })
    assert.same({ "r" .. UNKNOWN, "c" .. UNKNOWN }, { whole.reasoning_content, whole.content })
  end)

  it("join over deltas of other choices and fields in between", function()
    local reply = collect({
      '{"choices":[{"index":0,"delta":{"content":"\\ud83d"}},{"index":1,"delta":{"content":"x"}}]}',
      '{"choices":[{"index":1,"delta":{"content":"y"},"finish_reason":"stop"}]}',
      '{"choices":[{"index":0,"delta":{"content":"\\ude00"},"finish_reason":"stop"}]}',
    })
    assert.same({ GRIN, "xy" }, { reply.choices[1].message.content, reply.choices[2].message.content })
  end)

  it("may have text first and parts then, whatever the text says", function()
    local content = message({
      delta('"delta":{"content":"null"}'), delta('"delta":{"content":[{"type":"text","text":"!"}]}'),
      delta('"delta":{},"finish_reason":"stop"'),
    }).content
    assert.same({ "null", "!" }, { content[1].text, content[2].text })
  end)

  it("are mended in errors, and in streams that are no chat", function()
    local _, err = open({ '{"error":{"message":"bad \\ud83d"}}' }):collect()
    assert.equal("bad " .. UNKNOWN, err.message)
    local other = support.streaming(gateway, { '{"text":"\\ud83d"}' })
    local stream = llm.assert(other:request({ path = "/v1/responses", body = {}, stream = true }))
    assert.equal(UNKNOWN, stream:next().text)
  end)

  it("have choices that can be read, whatever a server puts there", function()
    for _, odd in ipairs({ "[null]", "[5]", '["x"]', '"x"', "{}", "null", "[[]]" }) do
      local events = { '{"choices":' .. odd .. "}", delta('"delta":{"content":"a"},"finish_reason":"stop"'), "[DONE]" }
      local list, err = support.drain(open(events))
      assert.is_nil(err, odd)
      for _, chunk in ipairs(list) do
        for _, choice in ipairs(chunk.choices) do
          assert.is_number(choice.index, odd)
          assert.is_table(choice.delta, odd)
        end
      end
      assert.equal("a", assert(open(events):collect()):text())
    end
  end)

  it("of several choices are collected apart, in order", function()
    local reply = collect({
      '{"id":"i","choices":[{"index":1,"delta":{"content":"b1"}},{"index":0,"delta":{"content":"a1"}}]}',
      '{"choices":[{"index":1,"delta":{"content":"b2"},"finish_reason":"stop"}]}',
      '{"choices":[{"index":0,"delta":{"content":"a2"},"finish_reason":"length"}]}',
      '{"choices":[],"usage":{"total_tokens":5}}',
    })
    local first, second = reply.choices[1], reply.choices[2]
    assert.same({ 0, "a1a2", "length" }, { first.index, first.message.content, first.finish_reason })
    assert.same({ 1, "b1b2", "stop" }, { second.index, second.message.content, second.finish_reason })
    assert.same({ "i", 5 }, { reply.id, reply.usage.total_tokens })
  end)

  local END = delta('"delta":{},"finish_reason":"tool_calls"')

  it("bring tool calls in any order, whose list has no hole", function()
    local function call(index, id)
      return delta(('"delta":{"tool_calls":[{"index":%d,"id":"%s","function":{"name":"f","arguments":"{}"}}]}')
        :format(index, id))
    end
    local cases = { { call(1, "b"), call(0, "a") }, { call(1, "a"), call(2, "b") }, { call(7, "b"), call(3, "a") } }
    for _, case in ipairs(cases) do
      local calls = message({ case[1], case[2], END }).tool_calls
      assert.equal(2, #calls)
      assert.same({ "a", "b" }, { calls[1].id, calls[2].id })
      assert.is_nil(calls[1].index or calls[2].index)
      assert.is_string(llm.json.encode(calls))
    end
  end)

  it("bring tool calls that share an index, each with an id and a name of its own", function()
    local function piece(id, name, arguments)
      return delta(('"delta":{"tool_calls":[{"index":0,%s"function":{%s"arguments":"%s"}}]}'):format(
        id and ('"id":"%s",'):format(id) or "", name and ('"name":"%s",'):format(name) or "", arguments))
    end
    local calls = message({
      piece("a", "f", "{"), piece(nil, nil, "}"), piece("b", "g", "["), piece("other", nil, "]"), piece("b", "g", " "),
      delta('"delta":{"tool_calls":[{"index":1,"id":"d","function":{"name":"h","arguments":"1"}}]}'),
      piece("c", "f", "3"), END,
    }).tool_calls
    local seen = {}
    for i, call in ipairs(calls) do seen[i] = call["function"].name .. call["function"].arguments end
    assert.same({ "f{}", "g[] ", "f3", "h1" }, seen)
    assert.same({ "a", "c", "d" }, { calls[1].id, calls[3].id, calls[4].id })
  end)

  it("bring tool calls without an index, whole or in pieces", function()
    local calls = message({
      delta('"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\\"x\\""}}]}'),
      delta('"delta":{"tool_calls":[{"function":{"arguments":":1}"}}]}'),
      delta('"delta":{"tool_calls":[{"id":"b","function":{"name":"g","arguments":"{}"}}]}'), END,
    }).tool_calls
    assert.equal(2, #calls)
    assert.same({ "a", '{"x":1}', "b", "{}" },
      { calls[1].id, calls[1]["function"].arguments, calls[2].id, calls[2]["function"].arguments })
  end)

  it("with a message of their own that is none are collected all the same", function()
    for _, odd in ipairs({ "5", "true", '"x"', "[]", "{}" }) do
      assert.equal("assistant", message({ delta('"message":' .. odd .. ',"delta":{"role":"assistant"}'), END }).role or
        "assistant")
    end
  end)

  it("of completions that are no chat are collected too", function()
    local other = support.streaming(gateway, {
      '{"object":"text_completion","choices":[{"text":"one "}]}',
      '{"object":"text_completion","choices":[{"index":0,"text":"two","finish_reason":"stop"}]}', "[DONE]",
    })
    local stream = llm.assert(other:request({ path = "/v1/completions", body = {}, stream = true }))
    local reply = assert(stream:collect())
    assert.same({ "one two", "stop" }, { reply.choices[1].text, reply.choices[1].finish_reason })
  end)

  local function call_piece(json) return delta('"delta":{"tool_calls":[' .. json .. "]}") end

  it("bring tool calls whose pieces say their id again, or an empty one, without an index", function()
    for _, second in ipairs({
      '{"id":"a","function":{"arguments":"}"}}', '{"id":"","function":{"name":"","arguments":"}"}}',
      '{"id":"a","function":{"name":"f","arguments":"}"}}',
    }) do
      local first = call_piece('{"id":"a","function":{"name":"f","arguments":"{"}}')
      local calls = message({ first, call_piece(second), END }).tool_calls
      assert.same({ 1, "a", "f", "{}" },
        { #calls, calls[1].id, calls[1]["function"].name, calls[1]["function"].arguments }, second)
    end
    local mixed = message({
      call_piece('{"id":"a","function":{"name":"f","arguments":"1"}}'),
      call_piece('{"id":"b","function":{"name":"g","arguments":"2"}}'),
      call_piece('{"id":"b","function":{"arguments":"2"}},{"id":"a","function":{"arguments":"1"}}'), END,
    }).tool_calls
    assert.same({ 2, "11", "22" }, { #mixed, mixed[1]["function"].arguments, mixed[2]["function"].arguments })
  end)

  it("bring a tool's name in pieces, or again and again, and one call that is in no list", function()
    local function name(...)
      local events = {}
      for i, piece in ipairs({ ... }) do
        events[i] = call_piece(('{"index":0,"function":{"name":"%s","arguments":""}}'):format(piece))
      end
      table.insert(events, END)
      return message(events).tool_calls[1]["function"].name
    end
    assert.equal("get_weather", name("get_", "weather"))
    assert.equal("get_weather", name("get_weather", "get_weather", ""))
    local calls = message({ delta('"delta":{"tool_calls":{"id":"a","function":{"name":"f","arguments":"{}"}}}'), END })
      .tool_calls
    assert.same({ 1, "f" }, { #calls, calls[1]["function"].name })
  end)

  it("keep what was said when a later one is empty, gather logprobs, and keep lists lists", function()
    local reply = collect({
      '{"id":"i","model":"m","choices":[{"index":0,"delta":{"content":"a","annotations":[],"flag":true},'
        .. '"logprobs":{"content":[{"token":"a"}]}}]}',
      '{"id":"","model":"","choices":[{"index":0,"delta":{"content":"b","flag":false},'
        .. '"logprobs":{"content":[{"token":"b"}]},"finish_reason":"stop"}]}',
      '{"choices":[{"index":0,"delta":{},"finish_reason":""}]}',
    })
    local choice = reply.choices[1]
    assert.same({ "i", "m", "stop", "ab" }, { reply.id, reply.model, choice.finish_reason, choice.message.content })
    assert.same({ "a", "b" }, { choice.logprobs.content[1].token, choice.logprobs.content[2].token })
    assert.is_false(choice.message.flag)
    assert.matches('"annotations":%[%]', (llm.json.encode(choice.message)))
    assert.matches('"choices":%[%]', (llm.json.encode(open({ '{"usage":{}}', "[DONE]" }):next())))
  end)

  it("are collected in time linear in their number #long", function()
    local function seconds(n)
      local events = {}
      for i = 1, n do
        events[i] = delta('"delta":{"content":"x"},"logprobs":{"content":[{"token":"x","id":"i"}]}')
      end
      table.insert(events, END)
      local stream, started = open(events), os.clock()
      assert(stream:collect())
      return os.clock() - started
    end
    seconds(100)
    local small, large = seconds(400), seconds(3200)
    assert.is_true(large < 24 * small + 0.1, ("%g s for 8 times what took %g s"):format(large, small))
  end)

  it("say all again at the end, or only then, and are read once", function()
    local whole = '{"choices":[{"index":0,"message":{"role":"assistant","content":"ab"},"finish_reason":"stop"}]}'
    local a, b = delta('"delta":{"content":"a"}'), delta('"delta":{"content":"b"}')
    for _, events in ipairs({ { a, b, whole }, { whole } }) do
      table.insert(events, "[DONE]")
      local texts = {}
      for text in open(events):texts() do table.insert(texts, text) end
      assert.equal("ab", table.concat(texts))
      assert.equal("ab", assert(open(events):collect()):text())
    end
  end)

  it("that were read already are not collected in silence", function()
    local stream = open({ delta('"delta":{"content":"a"}'), END, "[DONE]" })
    for _ in stream:texts() do assert.is_table(stream:info()) end
    local reply, err = stream:collect()
    assert.is_nil(reply)
    assert.same({ "stream", true }, { err.kind, err.message:find("read to its end") ~= nil })
  end)

  it("may have content in parts, between or beside text", function()
    local part = delta('"delta":{"content":[{"type":"text","text":"B"}]}')
    for _, events in ipairs({
      { delta('"delta":{"content":"A"}'), part, delta('"delta":{"content":"C"}') },
      { delta('"delta":{"content":[{"type":"text","text":"A"}]}'), part, delta('"delta":{"content":"C"}') },
      { '{"choices":[{"message":{"role":"assistant","content":[{"type":"text","text":"ABC"}]}}]}' },
    }) do
      table.insert(events, END)
      table.insert(events, "[DONE]")
      local texts = {}
      for text in open(events):texts() do table.insert(texts, text) end
      assert.equal("ABC", table.concat(texts))
      assert.equal("ABC", assert(open(events):collect()):text())
    end
  end)

  -- Calls as "name arguments", and whether all have what an answer to them needs.
  local function calls_of(...)
    local events = { ... }
    table.insert(events, END)
    local list, seen, ids = message(events).tool_calls, {}, {}
    for i, call in ipairs(list) do
      assert.is_true(type(call.id) == "string" and call.id ~= "" and call.id ~= "null" and not ids[call.id])
      assert.same({ "function", nil }, { call.type, call.index })
      seen[i], ids[call.id] = call["function"].name .. " " .. call["function"].arguments, true
    end
    return seen
  end

  it("bring tool calls told apart by a new name, whatever their ids and indexes are", function()
    local function piece(head, name, arguments)
      return call_piece(('{%s"function":{%s"arguments":"%s"}}'):format(head,
        name and ('"name":"%s",'):format(name) or "", (arguments:gsub('"', '\\"'))))
    end
    local A, B = '{"a":"{"}', '{"b":[]}'
    for _, head in ipairs({ '"index":0,"id":"",', '"index":0,', '"index":0,"id":null,', '"id":"",', "" }) do
      assert.same({ "f " .. A, "g " .. B }, calls_of(piece(head, "f", A), piece(head, "g", B)), head)
      assert.same({ "f " .. A, "f " .. B }, calls_of(piece(head, "f", A), piece(head, "f", B)), head)
      assert.same({ "f " .. A, "g " .. B },
        calls_of(piece(head, "f", ""), piece(head, nil, '{"a":"'), piece(head, nil, '{"}'), piece(head, "g", B)), head)
      assert.same({ "f " .. A }, calls_of(piece(head, "f", '{"a":'), piece(head, "f", '"{"'),
        piece(head, "f", "}")), head)
    end
    local function same_id(name, arguments) return piece('"id":"0","index":0,', name, arguments) end
    local events = { same_id("f", A), same_id("g", B), END }
    local list = message(events).tool_calls
    assert.same({ "f", "g" }, { list[1]["function"].name, list[2]["function"].name })
    assert.same({ "f " .. A }, calls_of(piece('"index":0,"id":"x1",', "f", '{"a":'),
      piece('"index":0,"id":"x2",', nil, '"{"'),
      piece('"index":0,"id":"x3",', "f", "}")))
    assert.same({ "f " .. A }, calls_of(piece('"id":"x1",', "f", '{"a":'), piece('"id":"x2",', nil, '"{"}')))
  end)

  it("bring tool calls whose arguments are an object, or nothing", function()
    assert.same({ 'f {"city":"Rome"}', 'g {}' }, calls_of(
      call_piece('{"index":0,"id":"a","function":{"name":"f","arguments":{"city":"Rome"}}}'),
      call_piece('{"index":1,"function":{"name":"g"}}')))
    local chunk = open({ call_piece('{"index":0,"function":{"name":"f","arguments":{"city":"Rome"}}}') }):next()
    assert.equal('{"city":"Rome"}', chunk.choices[1].delta.tool_calls[1]["function"].arguments)
    local client = support.answering(gateway, '{"choices":[{"message":{"tool_calls":[{"function":{"name":"f",'
      .. '"arguments":{"city":"Rome"}}}]}}]}')
    local call = assert(client:chat(support.ask("x"))).choices[1].message.tool_calls[1]
    assert.same({ '{"city":"Rome"}', "function", "string" }, { call["function"].arguments, call.type, type(call.id) })
  end)

  it("are not wiped by an empty usage, message or delta, wherever the usage is", function()
    local usage = '{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}'
    local done = '{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"%s}]%s}'
    for _, events in ipairs({
      { done:format("", ',"usage":' .. usage), '{"choices":[],"usage":{}}' },
      { done:format("", ',"usage":' .. usage), '{"choices":[],"usage":{"total_tokens":0}}' },
      { '{"choices":[],"usage":{"prompt_tokens":3}}', done:format("", ',"usage":{"total_tokens":4}') },
      { '{"choices":[],"x_groq":{"id":"r"}}', done:format("", ',"x_groq":{"id":"r","usage":' .. usage .. "}") },
      { done:format(',"usage":' .. usage, "") },
    }) do
      local reply = collect(events)
      assert.same({ 4, 3, "hi" }, { reply.usage.total_tokens, reply.usage.prompt_tokens or 3, reply:text() })
    end
  end)

  it("give the same text piece by piece and collected", function()
    local empty = '"message":{"role":"assistant","content":""},'
    for _, events in ipairs({
      { delta(empty .. '"delta":{"content":"Hel"}'),
        delta(empty .. '"delta":{"content":"lo"},"finish_reason":"stop"') },
      { delta(
        '"delta":{"role":null,"content":"","tool_calls":null},"message":{"content":"Hello"},"finish_reason":"stop"') },
      { delta('"message":{"content":"Hel"}'), delta('"message":{"content":"lo"},"finish_reason":"stop"') },
      { delta('"delta":{}'), delta('"message":{"content":"Hello"},"finish_reason":"stop"') },
      { '{"choices":[{"index":1,"delta":{"content":"Hel"}}]}', '{"choices":[{"index":1,"delta":{"content":"lo"}}]}' },
      { delta('"delta":{"content":"Hello"}'),
        delta('"delta":null,"message":{"content":"Hello"},"finish_reason":"stop"') },
      { delta('"delta":{"content":[{"type":"thinking","text":"hm"},{"type":"text","text":"Hello"}]}') },
    }) do
      local list, texts = { unpack(events) }, {}
      table.insert(list, "[DONE]")
      for text in open(list):texts() do table.insert(texts, text) end
      assert.equal("Hello", table.concat(texts))
      assert.equal("Hello", collect(events):text())
    end
  end)

  it("keep details of two types apart that share an index", function()
    local function details(json) return delta('"delta":{"reasoning_details":[' .. json .. "]}") end
    local reply = collect({
      details('{"type":"reasoning.text","text":"thi","index":0}'),
        details('{"type":"reasoning.text","text":"nk","index":0}'),
      details('{"type":"reasoning.encrypted","data":"sig","id":"t","index":0}'), END,
    })
    local list = reply.choices[1].message.reasoning_details
    assert.same({ 2, "think", "reasoning.encrypted", "sig" }, { #list, list[1].text, list[2].type, list[2].data })
    local text, told = reply:reasoning()
    assert.same({ "think", list }, { text, told })
  end)
end)
