-- Events handed over decoded: transfer:chunk(), which reply/stream.lua reads.
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local support = require "spec.support"

describe("a transfer's chunk", function()
  local gateway = support.gateway()

  -- The core's transfer of an answer of these bytes, before any of its events.
  local function transfer_of(body)
    local step = support.answer(body, { type = "text/event-stream", length = false })
    local client = support.scripted(gateway, { step })
    local stream = llm.assert(client:request({ path = "/v1/events", body = {}, stream = true }))
    return stream.transfer, stream
  end

  local function chunk(transfer)
    while true do
      local results = { n = 4, transfer:chunk() }
      if results[1] ~= false then return results end
      llm.step(0.1)
    end
  end

  it("is the event's JSON, its name, and whether its texts may hold halves", function()
    local transfer, stream = transfer_of('data: {"a":[1,{}],"b":null}\n\nevent: x\ndata: ["\\ud83d"]\n\ndata: [2]\n')
    local first = chunk(transfer)
    assert.same({ { a = { 1, {} } }, nil, nil, false, n = 4 }, first)
    assert.equal('{"a":[1,{}]}', json.encode(first[1]))
    assert.equal('{"a":[1,{}],"b":null}', transfer:data())
    assert.same({ { "\237\160\189" }, "x", true, false, n = 4 }, chunk(transfer))
    assert.equal('["\\ud83d"]', transfer:data())
    assert.same({ { 2 }, nil, nil, true, n = 4 }, chunk(transfer))
    assert.same({ n = 4 }, chunk(transfer))
    assert.is_table(stream)
  end)

  it("is the text of what is no table, and why it is no JSON", function()
    local transfer, stream = transfer_of('data: [DONE]\n\ndata\n\nevent: ping\ndata: 5\n\n'
      .. 'data: "\\ud83d"\n\ndata: null\n\n' .. 'data: {"a":\ndata: 1}\n\n')
    assert.same({ "[DONE]", nil, "expected a value at byte 2", false, n = 4 }, chunk(transfer))
    assert.equal("[DONE]", transfer:data())
    assert.same({ "", nil, "the text ends too early at byte 1", false, n = 4 }, chunk(transfer))
    assert.same({ "5", "ping", nil, false, n = 4 }, chunk(transfer))
    assert.same({ '"\\ud83d"', nil, nil, false, n = 4 }, chunk(transfer))
    assert.same({ "null", nil, nil, false, n = 4 }, chunk(transfer))
    assert.same({ { a = 1 }, nil, nil, false, n = 4 }, chunk(transfer))
    assert.is_table(stream)
  end)

  it("comes in between pull()s", function()
    local transfer, stream = transfer_of("data: [1]\n\ndata: [2]\n\ndata: [3]\n\n")
    assert.same({ 1 }, chunk(transfer)[1])
    assert.equal("[2]", transfer:pull())
    assert.same({ 3 }, chunk(transfer)[1])
    assert.is_table(stream)
  end)

  it("may be asked while a finalizer closes the transfer", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    for _ = 1, 20 do
      local transfer = transfer_of(('event: y\ndata: {"a":["\\n",{"b":"\\u00e9"}],"c":{}}\n\n'):rep(20))
      assert.same({ { a = { "\n", { b = "\195\169" } }, c = {} }, "y", nil, false, n = 4 }, chunk(transfer))
      setmetatable({}, { __gc = function()
        assert(json.decode("[[[1]]]")[1][1][1] == 1)
        transfer:close()
      end })
      for _ = 1, 19 do pcall(transfer.chunk, transfer) end
    end
  end)

  it("may have indexes that are no numbers", function()
    local odd = { '"index":NaN', '"index":-Infinity', '"index":"nan"', '"index":null', '"index":{}' }
    local events = {}
    for i, index in ipairs(odd) do
      local calls = ('[{%s},{%s,"function":{"name":"f"}}]'):format(index, index)
      events[i] = ('{"choices":[{%s,"delta":{"content":"x","tool_calls":%s}}]}'):format(index, calls)
    end
    table.insert(events, '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
    table.insert(events, "[DONE]")
    local client = support.streaming(gateway, events)
    local count = 0
    for _ in llm.assert(client:chat(support.ask("x", { stream = true }))) do count = count + 1 end
    assert.equal(6, count)
    assert.is_table(llm.assert(client:chat(support.ask("x", { stream = true })):collect()))
  end)

  it("may have indexes that are no numbers in the other dialects", function()
    local events = {
      '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"usage":{}}}',
      '{"type":"content_block_start","index":NaN,"content_block":{"type":"text","text":"a"}}',
      '{"type":"content_block_delta","index":NaN,"delta":{"type":"text_delta","text":"b\\ud83d"}}',
      '{"type":"content_block_delta","delta":{"type":"text_delta","text":"\\ude00c"}}',
      '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}', '{"type":"message_stop"}',
    }
    local question = { messages = { { role = "user", content = "x" } }, model = "m", max_tokens = 9, stream = true }
    assert.is_table(llm.assert(support.streaming(gateway, events):messages(question)):collect())
    events = {
      '{"type":"response.output_item.added","output_index":NaN,"item":{"type":"message","content":[]}}',
      '{"type":"response.output_text.delta","output_index":NaN,"content_index":NaN,"delta":"a\\ud83d"}',
      '{"type":"response.output_text.done","output_index":NaN,"content_index":NaN,"text":"a"}',
      '{"type":"response.completed","response":{"id":"r","object":"response","status":"completed","output":[]}}',
    }
    question = { input = "x", model = "m", stream = true }
    assert.is_table(llm.assert(support.streaming(gateway, events):responses(question)):collect())
  end)
end)
