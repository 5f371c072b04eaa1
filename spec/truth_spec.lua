-- What gateways send where a completion was due: errors in forms of their own, events under other types, ends without
-- [DONE], completions where a stream was due and the other way round. Each is an instance of a kind.
local llm = require "llm_gateway"
local support = require "spec.support"

local ask = support.ask

local PIECE = 'data: {"choices":[{"index":0,"delta":{"content":"par"}}]}\n\n'
local END = 'data: {"choices":[{"index":0,"delta":{"content":"t"},"finish_reason":"stop"}]}\n\n'
local DONE = "data: [DONE]\n\n"

describe("the truth", function()
  local gateway = support.gateway()

  local function client_of(body, options)
    options = options or {}
    options.type = options.type or "text/event-stream"
    return support.answering(gateway, body, options)
  end

  -- The text of a stream of these bytes, and how it ended.
  local function read(body, options)
    local stream, err = client_of(body, options):chat(ask("x", { stream = true }))
    if not stream then return "", err end
    local texts = {}
    local chunk
    chunk, err = stream:next()
    while chunk do
      local choice = chunk.choices[1]
      table.insert(texts, choice and choice.delta.content or "")
      chunk, err = stream:next()
    end
    return table.concat(texts), err
  end

  local INSIDE = {
    { "a code and a message", 'data: {"error_code":"INTERNAL_ERROR","message":"upstream failed"}\n\n',
      "upstream failed" },
    { "a vendor's own table", 'data: {"choices":[],"x_groq":{"error":"over capacity"}}\n\n', "over capacity" },
    { "a line of JSON without a field", '{"code":"activity_gap","error":"activity gap"}\n', "activity gap" },
    { "lines of JSON without a field", '{\n  "error": {\n    "message": "in lines"\n  }\n}\n', "in lines" },
    { "a second line of JSON", '{"usage":{}}\n{"error":"second"}\n', "second" },
    { "its field's name twice", 'data: data: {"error":{"message":"twice"}}\n\n', "twice" },
    { "a field called error", 'error: {"code":500,"message":"failed to decode"}\n\n', "failed to decode" },
    { "an error of a choice", 'data: {"choices":[{"index":0,"delta":{},"error":{"message":"provider"}}]}\n\n',
      "provider" },
    { "the name of an error as the reason", 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n',
      '"error"' },
    { "another one", 'data: {"choices":[{"delta":{},"finish_reason":"insufficient_system_resource"}]}\n\n',
      "insufficient" },
    { "a provider's status", 'data: {"base_resp":{"status_code":1008,"status_msg":"no money"}}\n\n', "no money" },
    { "a failure that says so", 'data: {"code":1113,"msg":"bad turn","success":false}\n\n', "bad turn" },
    { "words alone", 'data: {"detail":"Not allowed"}\n\n', "Not allowed" },
    { "broken JSON that begins like one", 'data: {"error": "said "badly" so"}\n\n', "badly" },
  }

  for _, case in ipairs(INSIDE) do
    it("about a stream is told where the error is " .. case[1], function()
      for _, last in ipairs({ "", DONE }) do
        local text, err = read(PIECE .. case[2] .. last)
        assert.is_true(llm.is_error(err), "a normal end")
        assert.same({ "par", "par", false }, { text:sub(1, 3), err.partial, err.retryable })
        assert.matches(case[3], err.message, 1, true)
      end
    end)
  end

  local WHOLE = '{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",'
    .. '"content":"part"},"finish_reason":"stop"}]}'

  it("about a stream is told whatever its type says", function()
    for _, type in ipairs({ "text/plain; charset=utf-8", "application/octet-stream",
      "application/json", "text/html" }) do
      for _, first in ipairs({ "", ": ping\n\n", "\239\187\191", "event: message\n", "\n" }) do
        assert.same({ "part" }, { read(first .. PIECE .. END .. DONE, { type = type }) })
      end
      local text, err = read('data: {"error":{"message":"quota","code":"insufficient_quota"}}\n\n', { type = type })
      assert.same({ "", "budget_exceeded" }, { text, err.kind })
    end
  end)

  it("about a stream is told byte by byte, its type missing", function()
    local steps = { { send = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" } }
    for byte in (PIECE .. END .. DONE):gmatch(".") do table.insert(steps, { send = byte }) end
    local stream = llm.assert(support.scripted(gateway, steps):chat(ask("x", { stream = true })))
    assert.equal("part", assert(stream:collect()):text())
  end)

  it("about a whole completion is told where a stream was due, in an event or without one", function()
    for _, body in ipairs({ "data: " .. WHOLE .. "\n\n", WHOLE, WHOLE .. "\n", (WHOLE:gsub('("%w+":)', "\n  %1")) }) do
      local stream = llm.assert(client_of(body):chat(ask("x", { stream = true })))
      local list, err = support.drain(stream)
      assert.is_nil(err)
      assert.same({ 1, "part" }, { #list, list[1].choices[1].delta.content })
    end
  end)

  it("about events is told where none were due: they become a reply, or an error", function()
    for _, type in ipairs({ "text/event-stream", "text/plain", "application/json" }) do
      local reply = assert(client_of(PIECE .. END .. DONE, { type = type }):chat(ask("x")))
      assert.same({ "part", "stop" }, { reply:text(), reply.choices[1].finish_reason })
      assert.equal(200, reply:info().status)
      local none, err = client_of(PIECE, { type = type }):chat(ask("x"))
      assert.is_nil(none)
      assert.same({ "stream", "par" }, { err.kind, err.partial })
    end
  end)

  it("about an end: nothing but [DONE] is none, and a finish_reason that is null in quotes is none", function()
    local _, err = read(DONE)
    assert.equal("stream", err.kind)
    for _, reason in ipairs({ '"null"', '"None"', '""', "false" }) do
      local text
      text, err = read('data: {"choices":[{"delta":{"content":"x"},"finish_reason":' .. reason .. "}]}\n\n")
      assert.same({ "x", "stream", "x" }, { text, err.kind, err.partial })
    end
  end)

  it("about an end: a refusal is one", function()
    local stream = llm.assert(client_of('data: {"choices":[{"delta":{"refusal":"I "}}]}\n\n'
      .. 'data: {"choices":[{"delta":{"refusal":"won\'t"},"finish_reason":"stop"}]}\n\n' .. DONE)
      :chat(ask("x", { stream = true })))
    assert.equal("I won't", assert(stream:collect()).choices[1].message.refusal)
  end)

  it("about an end comes two seconds after the last event once nothing is missing, heartbeats or not #timed", function()
    local head = { send = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" }
    local steps = { head, { send = PIECE .. END } }
    for _ = 1, 100 do
      table.insert(steps, { delay = 0.1 })
      table.insert(steps, { send = ": ping\n\n" })
    end
    local stream = llm.assert(support.scripted(gateway, steps):chat(ask("x", { stream = true })))
    local reply = assert(stream:collect())
    assert.equal("part", reply:text())
    local total = stream:info().timings.total
    assert.is_true(total > 1.9 and total < 3, total)
  end)

  local function piece(index, content, finish)
    return ('data: {"choices":[{"index":%d,"delta":{"content":"%s"},"finish_reason":%s}]}\n\n')
      :format(index, content, finish and '"stop"' or "null")
  end

  -- What comes behind a pause of more than two seconds though everything that was begun has ended.
  local RESUMED = {
    ["a choice that has begun"] = {
      { piece(0, "A", true), piece(1, "B") }, { piece(1, "b", true) }, { "A", "Bb" },
    },
    ["a choice that was asked for"] = { { piece(0, "A", true) }, { piece(1, "B", true) }, { "A", "B" } },
    ["a choice whose ends were none before"] = {
      { piece(0, "A", true), piece(1, "B", true), piece(0, "a", true) }, { piece(0, "!", true) }, { "Aa!", "B" },
    },
  }

  for what, case in pairs(RESUMED) do
    it("about an end: there is none before " .. what .. " #timed", function()
      local steps = {
        { send = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" },
        { send = table.concat(case[1]) }, { delay = 2.4 }, { send = table.concat(case[2]) .. DONE },
      }
      local stream = llm.assert(support.scripted(gateway, steps):chat(ask("x", { stream = true, n = 2 })))
      local reply = llm.assert(stream:collect())
      local texts = {}
      for i, choice in ipairs(reply.choices) do texts[i] = choice.message.content end
      assert.same(case[3], texts)
    end)
  end

  it("about a text: it is the first choice's, whichever comes first", function()
    local function open()
      return llm.assert(client_of(piece(1, "B") .. piece(0, "A") .. piece(1, "b", true) .. piece(0, "a", true) .. DONE)
        :chat(ask("x", { stream = true, n = 2 })))
    end
    local texts = {}
    for text in open():texts() do table.insert(texts, text) end
    assert.same({ "Aa", "Aa" }, { table.concat(texts), assert(open():collect()):text() })
  end)

  it("about a text: a number is a part of it, and false is none", function()
    local other = 'data: {"choices":[{"index":0,"delta":{"content":%s}}]}\n\n'
    local body = piece(0, "1"):rep(3) .. other:format("5") .. other:format("false") .. piece(0, "2")
      .. piece(0, "3", true) .. DONE
    local texts = {}
    for text in llm.assert(client_of(body):chat(ask("x", { stream = true }))):texts() do table.insert(texts, text) end
    local whole = assert(llm.assert(client_of(body):chat(ask("x", { stream = true }))):collect()):text()
    assert.same({ "111523", "111523" }, { table.concat(texts), whole })
  end)

  local PLAIN = {
    { '{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}', "insufficient balance" },
    { '{"code":1113,"msg":"pay first","success":false}', "pay first" },
    { '{"error_code":17,"error_msg":"daily limit reached"}', "daily limit reached" },
    { '{"choices":[{"index":0,"finish_reason":"error","message":{},"error":{"message":"provider"}}]}', "provider" },
    { '{"choices":[{"index":0,"finish_reason":"network_error","message":{"content":"ha"}}]}', "network_error" },
    { "{}", "a chat completion" }, { '{"id":"x","object":"chat.completion","choices":[]}', "a chat completion" },
  }

  for _, case in ipairs(PLAIN) do
    it("about a 200 that is no completion is told, streamed or not: " .. case[1], function()
      for _, stream in ipairs({ false, true }) do
        local client = client_of(case[1], { type = "application/json" })
        local reply, err = client:chat(ask("x", { stream = stream }))
        assert.is_nil(reply)
        assert.matches(case[2], err.message, 1, true)
        if not stream then assert.not_equal("stream", err.kind) end
      end
    end)
  end

  it("about a 200 is told after the retries that its error deserves", function()
    local client = support.answering(gateway, '{"code":503,"msg":"busy","success":false}')
    local _, err = client:with({ max_retries = 1, max_retry_delay = 0.01 }):chat(ask("x"))
    assert.same({ "server", 503, 2 }, { err.kind, err.status, err.attempts })
  end)

  it("is handed over in an envelope, and of a dry run", function()
    local client = support.answering(gateway, '{"success":true,"data":' .. WHOLE .. "}")
    assert.equal("part", assert(client:chat(ask("x"))):text())
    assert.equal("part", assert(assert(client:chat(ask("x", { stream = true }))):collect()):text())
    local dry = '{"would_be_allowed":true,"message":"fine","code":7}'
    assert.is_true(assert(support.answering(gateway, dry):chat(ask("x", { dry_run = true }))).would_be_allowed)
  end)
end)

describe("a stream", function()
  local gateway = support.gateway()

  local function open(...)
    return llm.assert(support.streaming(gateway, { ... }):chat(ask("x", { stream = true })))
  end

  local first = support.delta('"delta":{"content":"a"}')
  local last = support.delta('"delta":{"content":"b"},"finish_reason":"stop"')

  it("says what to do where it is taken for a reply", function()
    local stream = open(first, last, "[DONE]")
    for _, wrong in ipairs({ function() stream:text() end, function() llm.text(stream) end,
      function() stream:raw() end }) do
      local ok, why = pcall(wrong)
      assert.is_false(ok)
      assert.matches("truth_spec.lua:%d+: %l+: this is a stream.*stream:collect%(%)", why)
    end
    stream:close()
  end)

  it("is read once: a second loop over it says so", function()
    for _, read in ipairs({
      function(stream) for _ in stream do assert.is_table(stream) end end,
      function(stream) for _ in stream:texts() do assert.is_table(stream) end end,
      function(stream) support.drain(stream) end,
    }) do
      local stream = open(first, last, "[DONE]")
      read(stream)
      for _, again in ipairs({
        function() for _ in stream do assert.is_table(stream) end end,
        function() for _ in stream:texts() do assert.is_table(stream) end end,
      }) do
        local ok, why = pcall(again)
        assert.is_false(ok)
        assert.matches("truth_spec.lua:%d+: %l+: this stream was read to its end.*collect%(%)", why)
      end
      assert.is_nil((stream:next()))
    end
  end)

  it("is collected from its beginning, or not at all", function()
    local stream = open(first, last, "[DONE]")
    assert(stream:next())
    local reply, err = stream:collect()
    assert.is_nil(reply)
    assert.same({ "stream", "a" }, { err.kind, err.partial })
    assert.matches("a part of the stream was read before.*ask again", err.message)
    assert.equal("b", stream:next().choices[1].delta.content)
  end)

  it("hands its events to a relay as they came, the error too, and then raises it", function()
    local seen = {}
    for event in open(first, last, "[DONE]"):events() do table.insert(seen, event.data) end
    assert.same({ first, last, "[DONE]" }, seen)
    local body = "id: 7\nevent: delta\ndata: " .. first .. "\n\nevent: error\ndata: {\"message\":\"no\"}\n\n"
    local client = support.answering(gateway, body, { type = "text/event-stream" })
    local stream, names = llm.assert(client:chat(ask("x", { stream = true }))), {}
    local ok, err = pcall(function()
      for event in stream:events() do table.insert(names, event.event .. event.id) end
    end)
    assert.same({ "delta7", "error7" }, names)
    assert.is_false(ok)
    assert.same({ "server", "a" }, { err.kind, err.partial })
    ok, err = pcall(function() for _ in open(first):events() do assert.is_table(stream) end end)
    assert.same({ false, "stream" }, { ok, err.kind })
  end)

  it("tells what the model thought", function()
    local stream = open(support.delta('"delta":{"reasoning_content":"hm "}'),
      support.delta('"delta":{"reasoning_content":"yes"}'), last, "[DONE]")
    local chunk = assert(stream:next())
    assert.equal("hm ", (llm.reasoning(chunk)))
    support.drain(stream)
    assert.equal("hm yes", stream:reasoning())
  end)
end)

describe("a reply", function()
  local gateway = support.gateway()

  local function reply_of(body) return assert(support.answering(gateway, body):chat(ask("x"))) end

  it("has its body as it came", function()
    local body = ' {"choices":[{"message":{"content":"a"}}], "n": 1.0}'
    assert.equal(body, reply_of(body):raw())
    assert.equal(body, llm.raw(reply_of(body)))
  end)

  it("tells what the model thought, and the details that go back to it", function()
    local function reasoning(message)
      return reply_of('{"choices":[{"message":' .. message .. "}]}"):reasoning()
    end
    assert.equal("a", (reasoning('{"reasoning_content":"a"}')))
    assert.equal("a", (reasoning('{"reasoning":"a","content":"b"}')))
    assert.same({ "", nil }, { reasoning('{"content":"b"}') })
    local text, details = reasoning('{"reasoning_details":[{"type":"reasoning.text","text":"a"},'
      .. '{"type":"reasoning.encrypted","data":"x"}]}')
    assert.same({ "a", 2 }, { text, #details })
    text, details = reasoning('{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]},'
      .. '{"type":"text","text":"b"}]}')
    assert.same({ "a", 1 }, { text, #details })
  end)
end)
