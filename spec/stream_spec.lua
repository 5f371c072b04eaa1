-- Streams that tell the truth: under every fault, and however the bytes are cut.
local llm = require "llm_gateway"
local support = require "spec.support"

local HALF_1, HALF_2 = "\\ud83d", "\\ude00"

describe("a stream", function()
  local client
  local gateway = support.gateway({ delay = 0.002 }, function(gateway) client = support.client(gateway) end)

  local function open(fault, more, base)
    local request = { messages = { { role = "user", content = "Count to 12" } }, stream = true }
    request.headers = fault and { ["X-Dev-Fault"] = fault }
    for name, value in pairs(more or {}) do request[name] = value end
    return (base or client):chat(request)
  end

  -- The text of a stream and how it ended: nil, or its error.
  local function read(stream, err)
    if not stream then return "", err end
    local text = {}
    local chunk
    chunk, err = stream:next()
    while chunk do
      assert.equal("table", type(chunk.choices))
      local choice = chunk.choices[1]
      if choice then table.insert(text, choice.delta.content or "") end
      chunk, err = stream:next()
    end
    assert.equal(err, select(2, stream:next()))
    return table.concat(text), err
  end

  local scripts = 0
  -- A stream whose answer is exactly these bytes, in plain encoding, the connection closed behind them.
  local function play(steps, more)
    scripts = scripts + 1
    local name = "s" .. scripts
    table.insert(steps, 1, { send = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" })
    assert(client:request({ path = "/~script", body = { name = name, steps = steps } }))
    return open(nil, more, client:with({ base_url = gateway.url .. "/~script/" .. name }))
  end

  local function event(content, finish)
    return ('data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n')
      :format(content, finish and '"stop"' or "null")
  end

  it("arrives whole, also one byte at a time", function()
    assert.equal("1 2 3 4 5 6 7 8 9 10 11 12", (read(open())))
    assert.equal("1 2 3 4 5 6 7 8 9 10 11 12", (read(open("one-byte"))))
  end)

  it("that has ended stays as it ended when it is closed", function()
    for fault, kind in pairs({ ["slow;seconds=0"] = false, cut = "stream" }) do
      local stream = llm.assert(open(fault))
      local _, err = read(stream)
      assert.equal(kind, err and err.kind or false)
      stream:close()
      assert.equal(err, select(2, stream:next()))
    end
  end)

  it("iterates by for, by texts, and is collected", function()
    local words = {}
    for chunk in llm.assert(open()) do
      if chunk.choices[1] then table.insert(words, chunk.choices[1].delta.content or "") end
    end
    for text in llm.assert(open()):texts() do table.insert(words, text) end
    local reply = assert(llm.assert(open(nil, { stream_options = { include_usage = true } })):collect())
    assert.equal(("1 2 3 4 5 6 7 8 9 10 11 12"):rep(2), table.concat(words))
    assert.equal("1 2 3 4 5 6 7 8 9 10 11 12", reply:text())
    assert.same({ "chat.completion", "stop", 200 },
      { reply.object, reply.choices[1].finish_reason, reply:info().status })
    assert.is_true(reply.usage.total_tokens > 0)
  end)

  it("returns the four values that for wants", function()
    local stream, state, control, closing = open()
    assert.is_nil(state)
    assert.is_nil(control)
    assert.equal(stream, closing)
    stream:close()
    assert.equal("cancelled", select(2, stream:next()).kind)
    stream:close()
  end)

  it("tells its info, while it runs and after", function()
    local stream = llm.assert(open())
    assert.equal(200, stream:info().status)
    assert.is_string(stream:info().request_id)
    read(stream)
    assert.is_true(stream:info().timings.total > 0)
  end)

  local BROKEN = {
    { "cut", "stream" }, { "cut-plain", "stream" }, { "reset", nil }, { "garbage", "connection" },
    { "wrong-type", "stream" }, { "empty", "stream" }, { "stall", "timeout", { timeout = 0.1 } },
    { "never", "timeout", { timeout = 0.1 } }, { "heartbeat", "timeout", { event_timeout = 0.1 } },
  }

  for _, case in ipairs(BROKEN) do
    it("is an error under the fault " .. case[1], function()
      local text, err = read(open(case[1], case[3]))
      assert.is_true(llm.is_error(err))
      if case[2] then assert.equal(case[2], err.kind, tostring(err)) end
      assert.is_false(err.retryable == true and text ~= "")
      if text ~= "" then assert.equal(text, err.partial) end
    end)
  end

  it("raises its error in for, and collect returns it", function()
    local ok, err = pcall(function() for _ in llm.assert(open("cut")) do assert.is_true(true) end end)
    assert.is_false(ok)
    assert.equal("stream", err.kind)
    local reply, second = llm.assert(open("cut")):collect()
    assert.is_nil(reply)
    assert.equal("stream", second.kind)
  end)

  it("ends well without [DONE] once every choice has ended", function()
    local text, err = read(open("no-done", { timeout = 0.1 }))
    assert.equal("1 2 3 4 5 6 7 8 9 10 11 12", text)
    assert.is_nil(err)
    assert.same({ "ab", nil }, { read(play({ { send = event("a") .. event("b", true) } })) })
    assert.same({ "ab", nil }, { read(play({ { send = event("a") .. event("b", true) }, { reset = true } })) })
  end)

  it("waits for every choice", function()
    local both = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"},'
      .. '{"index":1,"delta":{"content":"b"}}]}\n\n'
    local _, err = read(play({ { send = both } }))
    assert.equal("stream", err.kind)
  end)

  it("is an error wherever it is cut off, until its last choice has ended", function()
    local whole = event("one ") .. ": ping\r\n\r\n" .. event("two ")
    local last = event("three", true)
    for cut = 0, #whole + #last - 3, 7 do
      local text, err = read(play({ { send = (whole .. last):sub(1, cut) } }))
      assert.is_true(llm.is_error(err), "silent end after " .. cut .. " bytes")
      assert.equal("stream", err.kind)
      assert.equal(text ~= "" and text or "", err.partial or "")
      assert.equal(("one two three"):sub(1, #text), text)
    end
  end)

  it("says that it broke off where an event is cut, unless nothing is missing", function()
    local _, err = read(play({ { send = event("a") .. 'data: {"choices":[{' } }))
    assert.matches("broke off", err.message)
    assert.same({ "a", nil }, { read(play({ { send = event("a", true) .. 'data: {"usage":{' } })) })
  end)

  it("ends at a [DONE] with blanks around it, which is none where nothing came before", function()
    for _, done in ipairs({ "data:  [DONE] \n\n", "data:\t[DONE]\n\n" }) do
      assert.same({ "a", nil }, { read(play({ { send = event("a") .. done }, { hold = true } }, { timeout = 5 })) })
      assert.equal("stream", select(2, read(play({ { send = done } }))).kind)
    end
  end)

  it("is cancelled with its client, although nothing of it is missing", function()
    local own = support.scripted(gateway, { support.answer(event("a", true), {
      type = "text/event-stream", length = false,
    }), { hold = true } })
    local stream = llm.assert(own:chat(support.ask("x", { stream = true })))
    assert.equal("stop", stream:next().choices[1].finish_reason)
    own:close()
    assert.equal("cancelled", select(2, stream:next()).kind)
  end)

  it("reads chunks behind a field's name that is there twice", function()
    assert.same({ "ab", nil }, { read(play({ { send = "data: " .. event("a") .. event("b", true) } })) })
  end)

  it("reads a last event without its blank line", function()
    assert.same({ "ab", nil }, { read(play({ { send = event("a") .. event("b", true):gsub("\n+$", "") } })) })
  end)

  it("tells an error inside it, in each form", function()
    local forms = {
      'data: {"error":{"message":"overloaded","code":429}}\n\n', 'event: error\ndata: {"message":"overloaded"}\n\n',
      'data: {"error": "said "overloaded" badly"}\n\n',
    }
    local kinds = { "rate_limit", "server", "server" }
    for i, form in ipairs(forms) do
      local text, err = read(play({ { send = event("a") .. form } }))
      assert.same({ "a", kinds[i], "a", false }, { text, err.kind, err.partial, err.retryable })
      assert.matches("overloaded", err.message)
    end
  end)

  it("refuses what is no chunk", function()
    for _, form in ipairs({ "data: hello\n\n", "data: 7\n\n", "data: {\"a\":\n\n" }) do
      assert.equal("stream", select(2, read(play({ { send = form } }))).kind)
    end
  end)

  it("fills in what servers leave out", function()
    local stream = llm.assert(play({ { send = 'data: {"choices":[{"finish_reason":"stop"}]}\n\ndata: {"usage":{}}\n\n'
      .. "data: [DONE]\n\n" } }))
    local first, second = stream:next(), stream:next()
    assert.same({ 0, {} }, { first.choices[1].index, first.choices[1].delta })
    assert.same({}, second.choices)
    assert.is_nil((stream:next()))
  end)

  it("joins a character that was split over two chunks, and mends half a one", function()
    local split = event("a" .. HALF_1) .. event(HALF_2 .. "b" .. HALF_1) .. event("c", true)
    assert.equal("a\240\159\152\128b\239\191\189c", (read(play({ { send = split } }))))
    assert.equal("x\239\191\189", (read(play({ { send = event("x" .. HALF_1) .. event("", true) } }))))
    assert.equal("xy\239\191\189", (read(play({ { send = event("x") .. event("y" .. HALF_1, true) } }))))
  end)

  it("passes on bytes that are no UTF-8", function()
    local hex = (event("a\255b", true):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
    assert.equal("a\255b", (read(play({ { hex = hex } }))))
  end)

  it("becomes one chunk when the gateway did not stream", function()
    local body = '{"choices":[{"index":0,"message":{"role":"assistant","content":"whole"},"finish_reason":"stop"}]}'
    scripts = scripts + 1
    local name = "plain" .. scripts
    assert(client:request({ path = "/~script", body = { name = name, steps = { { send =
      ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
        :format(#body, body) } } } }))
    local base = client:with({ base_url = gateway.url .. "/~script/" .. name })
    assert.same({ "whole", nil }, { read(open(nil, nil, base)) })
    assert.equal("whole", assert(llm.assert(open(nil, nil, base)):collect()):text())
  end)

  it("that was not asked for is an answer like any other", function()
    local events = event("who", false) .. event("le", true) .. "data: [DONE]\n\n"
    local unasked = support.answering(gateway, events, { type = "text/event-stream" })
    assert.equal("whole", llm.assert(unasked:chat(support.ask("x"))):text())
    assert.equal(events, llm.assert(unasked:request({ path = "/v1/events", body = {} })))
  end)

  it("of another path gives chunks and event names, and any end is one", function()
    scripts = scripts + 1
    local name = "messages" .. scripts
    assert(client:request({ path = "/~script", body = { name = name, steps = { {
      send = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"
        .. 'event: start\ndata: {"a":1}\n\nevent: ping\ndata: {"type":"ping"}\n\ndata: {}\n\n',
    } } } }))
    local seen = {}
    local other = client:with({ base_url = gateway.url .. "/~script/" .. name })
    for chunk, event_name in llm.assert(other:request({ path = "/v1/events", stream = true, body = {} })) do
      assert.is_nil(chunk.choices)
      table.insert(seen, event_name)
    end
    assert.same({ "start", "ping", "message" }, seen)
  end)

  -- A stream of another path that begins with an event of its own.
  local function other(steps, options)
    table.insert(steps, 1, support.answer('data: {"a":1}\n\n', { type = "text/event-stream", length = false }))
    return llm.assert(support.scripted(gateway, steps, options):request({ path = "/v1/events", stream = true }))
  end

  it("of another path is ended by its end alone: whatever breaks it is an error", function()
    for kind, ways in pairs({
      timeout = {
        { { { hold = true } }, { timeout = 0.05 } }, { { { hold = true } }, { event_timeout = 0.05 } },
        { { { hold = true } }, { total_timeout = 0.3 } },
        { { { send = 'data: {"b":2}\n' }, { hold = true } }, { timeout = 0.05 } },
        { { { send = '{"b":2}\ndata: {"c":3}' }, { hold = true } }, { timeout = 0.05 } },
      },
      stream = {
        { { { send = 'data: {"b":' } } }, { { { reset = true } } },
        { { { send = 'data: {"b":"' .. ("x"):rep(100) .. '"}\n\n' } }, { max_event_bytes = 50 } },
      },
    }) do
      for i, way in ipairs(ways) do
        local chunks, err = support.drain(other(way[1], way[2]))
        assert.same({ 1, kind, false }, { #chunks, err and err.kind, err and err.retryable }, kind .. i)
      end
    end
    local length = support.answer('data: {"a":1}\n\n', { type = "text/event-stream", length = false,
      headers = { "Content-Length: 99" } })
    local short = support.scripted(gateway, { length }):request({ path = "/v1/events", stream = true })
    assert.equal("stream", select(2, support.drain(short)).kind)
  end)

  it("is a chat's where a query follows its path", function()
    local cut = support.streaming(gateway, { '{"choices":[{"delta":{"content":"a"}}]}' })
    local stream = llm.assert(cut:request({ path = "/v1/chat/completions?api-version=1", stream = true }))
    assert.equal(0, stream:next().choices[1].index)
    assert.equal("stream", select(2, stream:next()).kind)
  end)

  it("is not to be repeated once an event was handed over, and is before", function()
    local slow = '{"error":{"message":"slow","code":429}}'
    local role = support.delta('"delta":{"role":"assistant","content":""}')
    local chunks, err = support.drain(llm.assert(open(nil, nil, support.streaming(gateway, { role, slow }))))
    assert.same({ 1, "rate_limit", false }, { #chunks, err.kind, err.retryable })
    chunks, err = support.drain(llm.assert(open(nil, nil, support.streaming(gateway, { slow }))))
    assert.same({ 0, "rate_limit", true }, { #chunks, err.kind, err.retryable })
  end)

  it("takes an empty finish_reason for none", function()
    for _, empty in ipairs({ '""', "false", "null" }) do
      local text, err = read(open(nil, nil, support.streaming(gateway, {
        support.delta('"delta":{"content":"a"},"finish_reason":' .. empty) })))
      assert.same({ "a", "stream" }, { text, err and err.kind })
    end
  end)

  it("hands over chunks without the names of their events", function()
    local stream = llm.assert(play({ { send = "event: delta\n" .. event("a", true) } }))
    local chunk, second = stream:next()
    assert.same({ "a", nil }, { chunk.choices[1].delta.content, second })
  end)

  it("is broken by an event called error, whatever its data", function()
    for _, data in ipairs({ "", "[DONE]" }) do
      local _, err = read(play({ { send = event("a") .. "event: error\ndata: " .. data .. "\n\n" } }))
      assert.equal("server", err.kind)
    end
  end)
end)
