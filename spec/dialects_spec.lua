-- The dialects beside chat: Responses and Messages, whole and streamed, by their verbs and by request{}.
local unpack = table.unpack or unpack -- luacheck: read globals unpack
local llm = require "llm_gateway"
local support = require "spec.support"

-- ---------------------------------------------------------------------------------------------------------
-- The same answers in each dialect, as gateways send them

local function event(value, name)
  local data = type(value) == "string" and value or assert(llm.json.encode(value))
  return (name and "event: " .. name .. "\n" or "") .. "data: " .. data .. "\n\n"
end

-- A typed event, named as its type.
local function typed(kind, fields)
  fields.type = kind
  return event(fields, kind)
end

local RESPONSE = { id = "resp_1", object = "response", model = "gpt-4", status = "completed", text = { format = {} } }

local function response(fields)
  local whole = {}
  for name, value in pairs(RESPONSE) do whole[name] = value end
  for name, value in pairs(fields or {}) do whole[name] = value end
  return whole
end

local function output(text)
  return llm.array({ { type = "message", id = "msg_1", role = "assistant", content = llm.array({
    { type = "output_text", text = text, annotations = llm.array() } }) } })
end

local function responses_pieces(last)
  return {
    typed("response.created", { response = response({ status = "in_progress", output = llm.array() }) }),
    typed("response.output_item.added", { output_index = 0, item = {
      type = "message", id = "msg_1", role = "assistant", content = llm.array() } }),
    typed("response.content_part.added", { output_index = 0, content_index = 0, item_id = "msg_1",
      part = { type = "output_text", text = "" } }),
    typed("response.output_text.delta", { output_index = 0, content_index = 0, item_id = "msg_1", delta = "Hel" }),
    typed("response.of_the_future", { what = "ever" }),
    typed("response.output_text.delta", { output_index = 0, content_index = 0, item_id = "msg_1", delta = "lo" }),
    typed("response.output_text.done", { output_index = 0, content_index = 0, item_id = "msg_1", text = "Hello" }),
    last,
  }
end

local USAGE = { input_tokens = 3, output_tokens = 2, total_tokens = 5 }

local function completed(fields)
  fields = fields or { output = output("Hello"), usage = USAGE }
  return typed("response.completed", { response = response(fields) })
end

local function messages_pieces(last)
  return {
    typed("message_start", { message = { id = "msg_1", type = "message", role = "assistant", model = "claude",
      content = llm.array(), usage = { input_tokens = 3, output_tokens = 1 } } }),
    typed("ping", {}),
    typed("content_block_start", { index = 0, content_block = { type = "text", text = "" } }),
    typed("content_block_delta", { index = 0, delta = { type = "text_delta", text = "Hel" } }),
    typed("of_the_future", { what = "ever" }),
    typed("content_block_delta", { index = 0, delta = { type = "text_delta", text = "lo" } }),
    typed("content_block_stop", { index = 0 }),
    typed("message_delta", { delta = { stop_reason = "end_turn" }, usage = { output_tokens = 2 } }),
    last,
  }
end

local STOP = typed("message_stop", {})

local DIALECTS = {
  responses = {
    verb = "responses", path = "/v1/responses", request = { model = "gpt-4", input = "Hi" }, pieces = responses_pieces,
    good = completed(), whole = response({ output = output("Hello"), usage = USAGE }), first = "response.created",
    failures = {
      [typed("response.failed", { response = response({ status = "failed",
        error = { code = "rate_limit_exceeded", message = "slow down" } }) })] = "slow down",
      [typed("response.failed", { response = response({ status = "failed" }) })] = "the response failed",
      [typed("error", { code = "server_error", message = "it broke" })] = "it broke",
      [event({ error = { message = "said without a type" } })] = "said without a type",
    },
  },
  messages = {
    verb = "messages", path = "/v1/messages", pieces = messages_pieces, first = "message_start", good = STOP,
    request = { model = "claude", max_tokens = 9, messages = { { role = "user", content = "Hi" } } },
    whole = { id = "msg_1", type = "message", role = "assistant", stop_reason = "end_turn",
      content = llm.array({ { type = "text", text = "Hello" } }), usage = USAGE },
    failures = {
      [typed("error", { error = { type = "overloaded_error", message = "Overloaded" } })] = "Overloaded",
      [event({ error_code = "X", message = "of a gateway's own" })] = "of a gateway's own",
    },
  },
}

local function merged(...)
  local all = {}
  for _, fields in ipairs({ ... }) do
    for name, value in pairs(fields) do all[name] = value end
  end
  return all
end

for name, dialect in pairs(DIALECTS) do
  describe("the dialect of " .. name, function()
    local gateway = support.gateway()

    local function client_of(body, options)
      return support.answering(gateway, body, merged({ type = "text/event-stream" }, options or {}))
    end

    local function ask(client, stream, by_request)
      local body = merged(dialect.request, { stream = stream })
      if by_request then return client:request({ path = dialect.path, body = body, stream = stream }) end
      return client[dialect.verb](client, body)
    end

    local function open(last, by_request)
      return llm.assert(ask(client_of(table.concat(dialect.pieces(last))), true, by_request))
    end

    it("is asked on its path, with what it wants to be sent", function()
      local seen = assert(ask(support.client(gateway, nil, "/~echo"), false))
      local body, fields = support.echoed(seen)
      assert.matches(dialect.path .. "$", seen.path)
      assert.equal(dialect.request.model, llm.json.decode(body).model)
      assert.equal(name == "messages" and "2023-06-01" or nil, fields["anthropic-version"])
      local own = support.client(gateway, { headers = { ["Anthropic-Version"] = "2099-01-01" } }, "/~echo")
      assert.equal("2099-01-01", select(2, support.echoed(assert(ask(own, false))))["anthropic-version"])
    end)

    it("is read whole, its text by llm.text", function()
      local client = client_of(llm.json.encode(dialect.whole), { type = "application/json" })
      local reply = assert(ask(client, false))
      assert.same({ "Hello", dialect.whole.id, 200 }, { llm.text(reply), reply.id, llm.info(reply).status })
    end)

    for _, by_request in ipairs({ false, true }) do
      local how = by_request and "request" or "its verb"

      it("gives typed events and their names, by " .. how, function()
        local names, seen = {}, {}
        for value, kind in open(dialect.good, by_request) do
          assert.equal(value.type, kind)
          table.insert(names, kind)
          seen[kind] = value
        end
        assert.same({ #dialect.pieces(dialect.good), dialect.first }, { #names, names[1] })
        assert.equal("ever", (seen["response.of_the_future"] or seen.of_the_future).what)
      end)

      it("gives its text and the whole, by " .. how, function()
        local texts = {}
        for text in open(dialect.good, by_request):texts() do table.insert(texts, text) end
        assert.same({ "Hel", "lo" }, texts)
        local whole = assert(open(dialect.good, by_request):collect())
        assert.same({ "Hello", dialect.whole.id, 2, 3 },
          { llm.text(whole), whole.id, whole.usage.output_tokens, whole.usage.input_tokens })
      end)

      it("broke off wherever its end is missing, and says so, by " .. how, function()
        for _, last in ipairs({ "", event("[DONE]") }) do
          local stream = open(last, by_request)
          local _, err = support.drain(stream)
          assert.same({ "stream", "Hello", false }, { err and err.kind, err and err.partial, err and err.retryable })
          assert.equal(err, select(2, stream:collect()))
        end
      end)
    end

    it("tells its failures", function()
      for bytes, words in pairs(dialect.failures) do
        for _, more in ipairs({ "", event("[DONE]") }) do
          local _, err = support.drain(open(bytes .. more))
          assert.is_true(llm.is_error(err), bytes)
          assert.matches(words, err.message, 1, true)
          assert.equal("Hello", err.partial)
        end
      end
    end)

    it("ends at its end: nothing behind it counts", function()
      local stream = open(dialect.good .. event("no JSON at all"))
      assert.is_nil(select(2, support.drain(stream)))
      assert.equal("Hello", llm.text(assert(open(dialect.good .. event("[DONE]")):collect())))
    end)

    it("is a stream where the gateway sent the whole, and the other way round", function()
      local whole = llm.json.encode(dialect.whole)
      for _, type in ipairs({ "application/json" }) do
        local stream = llm.assert(ask(client_of(whole, { type = type }), true))
        local texts = {}
        for text in stream:texts() do table.insert(texts, text) end
        assert.equal("Hello", table.concat(texts))
        assert.equal("Hello", llm.text(assert(llm.assert(ask(client_of(whole, { type = type }), true)):collect())))
      end
      local reply = assert(ask(client_of(table.concat(dialect.pieces(dialect.good))), false))
      assert.equal("Hello", llm.text(reply))
    end)

    it("is an error where a 200 is none of it", function()
      for _, body in ipairs({ "{}", '{"code":1,"msg":"no","success":false}', '{"id":"x"}', "[]" }) do
        local reply, err = ask(client_of(body, { type = "application/json" }), false)
        assert.is_nil(reply)
        assert.is_true(llm.is_error(err), body)
      end
    end)

    it("joins a character that was split over two events", function()
      local pieces = table.concat(dialect.pieces(dialect.good)):gsub('"Hel"', '"\\ud83d"'):gsub('"lo"', '"\\ude00"')
      local texts = {}
      for text in llm.assert(ask(client_of(pieces), true)):texts() do table.insert(texts, text) end
      assert.equal("\240\159\152\128", table.concat(texts))
    end)
  end)
end

-- ---------------------------------------------------------------------------------------------------------

describe("the development gateway", function()
  local gateway = support.gateway()

  local TOOL = { type = "object", properties = { city = { type = "string" } }, required = { "city" } }

  it("answers in both dialects, whole and streamed", function()
    local client = support.client(gateway)
    local requests = {
      responses = { model = "gpt-4", input = "Count to 3" },
      messages = { model = "gpt-4", max_tokens = 99, messages = { { role = "user", content = "Count to 3" } } },
    }
    for verb, request in pairs(requests) do
      assert.equal("1 2 3", llm.text(assert(client[verb](client, request))))
      request.stream = true
      local whole = llm.assert(llm.assert(client[verb](client, request)):collect())
      assert.same({ "1 2 3", 3 }, { llm.text(whole), whole.usage.output_tokens })
    end
  end)

  it("calls tools in both dialects", function()
    local client = support.client(gateway)
    local question = "What is the weather in Rome?"
    for _, stream in ipairs({ false, true }) do
      local first = llm.assert(client:responses({ model = "gpt-4", input = question, stream = stream,
        tools = { { type = "function", name = "get_weather", parameters = TOOL } } }))
      local second = llm.assert(client:messages({ model = "gpt-4", max_tokens = 99, stream = stream,
        messages = { { role = "user", content = question } },
        tools = { { name = "get_weather", input_schema = TOOL } } }))
      if stream then first, second = assert(first:collect()), assert(second:collect()) end
      assert.equal("Rome", llm.json.decode(first.output[1].arguments).city)
      assert.same({ "Rome", "tool_use" }, { second.content[1].input.city, second.stop_reason })
    end
  end)
end)

describe("a Responses object", function()
  local gateway = support.gateway()

  local function collect(...)
    local body = table.concat({ ... })
    local client = support.answering(gateway, body, { type = "text/event-stream" })
    return llm.assert(llm.assert(client:responses({ input = "x", stream = true })):collect())
  end

  it("that is incomplete has ended well, and says why", function()
    local last = typed("response.incomplete", { response = response({ status = "incomplete",
      incomplete_details = { reason = "max_output_tokens" } }) })
    local whole = collect(unpack(responses_pieces(last)))
    assert.same({ "Hello", "incomplete", "max_output_tokens" },
      { llm.text(whole), whole.status, whole.incomplete_details.reason })
  end)

  it("keeps what was streamed where the last event leaves it out", function()
    for _, last in ipairs({
      { output = llm.array() }, {}, { output = llm.array({ { type = "message", id = "msg_1" } }) },
      { output = output("") }, { output = output("Hel") }, { usage = USAGE },
    }) do
      assert.equal("Hello", llm.text(collect(unpack(responses_pieces(completed(last))))))
    end
  end)

  it("has tool calls, reasoning and refusals, in their order", function()
    local whole = collect(
      typed("response.output_item.added", { output_index = 0, item = { type = "reasoning", id = "rs_1",
        summary = llm.array() } }),
      typed("response.reasoning_summary_text.delta", { output_index = 0, summary_index = 0, delta = "think " }),
      typed("response.reasoning_summary_text.delta", { output_index = 0, summary_index = 0, delta = "hard" }),
      typed("response.output_item.added", { output_index = 1, item = { type = "function_call", id = "fc_1",
        call_id = "call_1", name = "f", arguments = "" } }),
      typed("response.function_call_arguments.delta", { output_index = 1, item_id = "fc_1", delta = '{"a"' }),
      typed("response.function_call_arguments.delta", { output_index = 1, item_id = "fc_1", delta = ":1}" }),
      typed("response.refusal.delta", { output_index = 2, content_index = 0, delta = "I won't" }),
      completed({ output = llm.array({ { type = "function_call", id = "fc_1", call_id = "call_1", name = "f" } }) }))
    local kinds = {}
    for i, item in ipairs(whole.output) do kinds[i] = item.type end
    assert.same({ "reasoning", "function_call", "message" }, kinds)
    assert.same({ '{"a":1}', "I won't", "" },
      { whole.output[2].arguments, whole.output[3].content[1].refusal, llm.text(whole) })
    local text, details = llm.reasoning(whole)
    assert.same({ "think hard", "rs_1" }, { text, details[1].id })
  end)

  it("gives the text that came only at the end", function()
    for _, bytes in ipairs({ completed(), typed("response.output_text.done", { output_index = 0, content_index = 0,
      text = "Hello" }) .. completed() }) do
      local client, texts = support.answering(gateway, bytes, { type = "text/event-stream" }), {}
      for text in llm.assert(client:responses({ input = "x", stream = true })):texts() do table.insert(texts, text) end
      assert.same({ "Hello" }, texts)
    end
  end)
end)

describe("a message", function()
  local gateway = support.gateway()

  local function block(index, begin, ...)
    local bytes = { typed("content_block_start", { index = index, content_block = begin }) }
    for _, delta in ipairs({ ... }) do
      table.insert(bytes, typed("content_block_delta", { index = index, delta = delta }))
    end
    return table.concat(bytes)
  end

  local function collect(...)
    local pieces = messages_pieces("")
    local body = pieces[1] .. table.concat({ ... }) .. pieces[#pieces - 1] .. STOP
    local client = support.answering(gateway, body, { type = "text/event-stream" })
    return llm.assert(llm.assert(client:messages({ max_tokens = 1, stream = true,
      messages = { { role = "user", content = "x" } } })):collect())
  end

  it("has thoughts with their signature, and tools with their input", function()
    local whole = collect(
      block(0, { type = "thinking", thinking = "" }, { type = "thinking_delta", thinking = "hm" },
        { type = "thinking_delta", thinking = "m" }, { type = "signature_delta", signature = "sig" }),
      block(1, { type = "tool_use", id = "t1", name = "f", input = {} },
        { type = "input_json_delta", partial_json = '{"city"' },
        { type = "input_json_delta", partial_json = ':"Rome"}' }),
      block(2, { type = "tool_use", id = "t2", name = "g", input = {} }))
    assert.same({ "hmm", "sig" }, { whole.content[1].thinking, whole.content[1].signature })
    assert.same({ "Rome", "end_turn", "" }, { whole.content[2].input.city, whole.stop_reason, llm.text(whole) })
    assert.matches('"input":{}', assert(llm.json.encode(whole.content[3])), 1, true)
    local text, details = llm.reasoning(whole)
    assert.same({ "hmm", "sig" }, { text, details[1].signature })
  end)

  it("keeps arguments that were cut off as the text they are", function()
    local whole = collect(block(0, { type = "tool_use", id = "t", name = "f" },
      { type = "input_json_delta", partial_json = '{"city":"Ro' }))
    assert.equal('{"city":"Ro', whole.content[1].input)
  end)

  it("is sent with an empty input as an object, elsewhere as a list", function()
    assert.equal('{"id":"t","input":{},"type":"tool_use"}',
      llm.json.encode({ type = "tool_use", id = "t", input = {} }))
    assert.equal('{"input":[]}', llm.json.encode({ input = {} }))
  end)

  it("has no headers in the error of a call that got no answer", function()
    local client = llm.new({ base_url = "http://127.0.0.1:1", max_retries = 1, max_retry_delay = 0.01 })
    local _, err = client:messages({ model = "m", max_tokens = 5, messages = { { role = "user", content = "x" } } })
    assert.equal("connection", err.kind)
    assert.is_nil(err.headers)
  end)
end)
