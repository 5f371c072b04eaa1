-- run_tools and structured output over Responses and Messages: how each offers tools, calls them and takes results.
local dialects = require "llm_gateway.helpers.tool_dialects"
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local support = require "spec.support"

local CITY = { type = "object", properties = { city = { type = "string" } }, required = { "city" },
  additionalProperties = false }

local CASES = {
  responses = {
    reply = { object = "response", status = "completed", usage = { input_tokens = 1, output_tokens = 2 }, output = {
      { type = "reasoning", id = "rs_1", summary = json.array() },
      { type = "function_call", call_id = "c1", name = "it", arguments = '{"city":"Paris"}' },
      { type = "function_call", call_id = "c2", name = "it", arguments = "{}" } } },
    cut = { object = "response", status = "incomplete", incomplete_details = { reason = "max_output_tokens" },
      output = { { type = "function_call", call_id = "c1", name = "it", arguments = "{}" } } },
    offered = { type = "function", name = "it", parameters = CITY, strict = true },
    said = 3,
    results = {
      { type = "function_call_output", call_id = "c1", output = "sunny in Paris" },
      { type = "function_call_output", call_id = "c2",
        output = [[{"error":"the arguments do not fit the tool's parameters: city: is missing"}]] } },
  },
  messages = {
    reply = { type = "message", role = "assistant", stop_reason = "tool_use",
      usage = { input_tokens = 1, output_tokens = 2 }, content = {
        { type = "text", text = "Let me see." },
        { type = "tool_use", id = "c1", name = "it", input = { city = "Paris" } },
        { type = "tool_use", id = "c2", name = "it", input = {} } } },
    cut = { type = "message", role = "assistant", stop_reason = "max_tokens", content = {
      { type = "tool_use", id = "c1", name = "it", input = { city = "Par" } } } },
    offered = { name = "it", input_schema = CITY },
    said = 1,
    results = { { role = "user", content = {
      { type = "tool_result", tool_use_id = "c1", content = "sunny in Paris" },
      { type = "tool_result", tool_use_id = "c2", is_error = true,
        content = [[{"error":"the arguments do not fit the tool's parameters: city: is missing"}]] } } } },
  },
}

local STREAMS = {
  messages = {
    '{"type":"message_start","message":{"type":"message","role":"assistant","content":[],"usage":{"input_tokens":1}}}',
    '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Let me see."}}',
    '{"type":"content_block_stop","index":0}',
    '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c1","name":"it","input":{}}}',
    [[{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}]],
    [[{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"\"Paris\"}"}}]],
    '{"type":"content_block_stop","index":1}',
    '{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}',
    '{"type":"message_stop"}',
  },
  responses = {
    '{"type":"response.created","response":{"status":"in_progress","output":[]}}',
    [[{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"m","role":"assistant",]]
      .. [["content":[]}}]],
    '{"type":"response.output_text.delta","output_index":0,"content_index":0,"item_id":"m","delta":"Let me see."}',
    [[{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"f","call_id":"c1",]]
      .. [["name":"it","arguments":""}}]],
    [[{"type":"response.function_call_arguments.delta","output_index":1,"item_id":"f",]]
      .. [["delta":"{\"city\":\"Paris\"}"}]],
    [[{"type":"response.completed","response":{"object":"response","status":"completed","output":[{"type":"message",]]
      .. [["id":"m","role":"assistant","content":[{"type":"output_text","text":"Let me see."}]},]]
      .. [[{"type":"function_call","id":"f","call_id":"c1","name":"it","arguments":"{\"city\":\"Paris\"}"}]}}]],
  },
}

local TOOL = { name = "it", parameters = CITY, call = function(arguments) return "sunny in " .. arguments.city end }

describe("run_tools over", function()
  local gateway = support.gateway()

  local function run(api, body, fields)
    local request = { api = api, model = "m", max_tokens = 100, tools = { TOOL }, max_rounds = 1 }
    request[api == "responses" and "input" or "messages"] = { { role = "user", content = "Hello" } }
    for name, value in pairs(fields or {}) do request[name] = value end
    local client = support.answering(gateway, json.encode(body))
    return client:run_tools(request)
  end

  for api, case in pairs(CASES) do
    describe(api, function()
      it("offers tools, runs them and tells their results", function()
        local reply, err, said = run(api, case.reply)
        assert.is_nil(reply)
        assert.same("max_rounds", err.code)
        assert.same({ input_tokens = 1, output_tokens = 2 }, err.usage)
        local offered = dialects[api].offer({ { name = "it", parameters = CITY } })
        assert.same({ case.offered }, offered)
        local results = {}
        for i = 1 + case.said + 1, #said do table.insert(results, said[i]) end
        assert.same(json.decode(json.encode(case.results)), json.decode(json.encode(results)))
      end)

      it("runs none of a reply that was cut", function()
        local reply, err, said = run(api, case.cut)
        assert.is_nil(reply)
        assert.same("validation", err.kind)
        assert.same(1, #said)
      end)
    end)
  end

  for api, events in pairs(STREAMS) do
    it(api .. ", streamed", function()
      local request = { api = api, model = "m", max_tokens = 100, tools = { TOOL }, max_rounds = 1, stream = true }
      request[api == "responses" and "input" or "messages"] = { { role = "user", content = "Hello" } }
      local stream = llm.assert(support.streaming(gateway, events):run_tools(request))
      local seen = {}
      local event, err = stream:next()
      while event do
        table.insert(seen, event.type .. " " .. (event.text or event.content or event.arguments))
        event, err = stream:next()
      end
      assert.same({ "text Let me see.", 'tool_call {"city":"Paris"}', "tool_result sunny in Paris" }, seen)
      assert.same("max_rounds", err.code)
    end)

    it(api .. " runs nothing of a stream that broke off", function()
      local cut = {}
      for i = 1, #events - 1 do cut[i] = events[i] end
      local called = 0
      local tool = { name = "it", call = function() called = called + 1 end }
      local request = { api = api, model = "m", max_tokens = 100, tools = { tool }, stream = true }
      request[api == "responses" and "input" or "messages"] = { { role = "user", content = "Hello" } }
      local stream = llm.assert(support.streaming(gateway, cut):run_tools(request))
      local event, err = stream:next()
      while event do event, err = stream:next() end
      assert.same("stream", err.kind)
      assert.same(0, called)
    end)
  end

  it("a Responses input that is text", function()
    local answer = { object = "response", status = "completed", output = {
      { type = "message", content = { { type = "output_text", text = "Hi" } } } } }
    local reply, said = run("responses", answer, { input = "Hello" })
    assert.same("Hi", llm.text(reply))
    assert.same({ role = "user", content = "Hello" }, said[1])
    assert.same(2, #said)
  end)

  it("no other dialect", function()
    assert.same("api", select(2, run("completions", {})).field)
  end)

  describe("structured output over", function()
    local function parsed(api, body)
      local client = support.answering(gateway, json.encode(body))
      local request = { model = "m", max_tokens = 5000, response_format = CITY, reasoning = "low" }
      request[api == "responses" and "input" or "messages"] = { { role = "user", content = "Hello" } }
      return llm.assert(client[api](client, request)):parsed()
    end

    it("Responses", function()
      local function answer(part) return { object = "response", status = "completed", output = {
        { type = "message", content = { part } } } } end
      assert.same({ city = "Rome" }, parsed("responses", answer({ type = "output_text", text = '{"city":"Rome"}' })))
      assert.same("city", select(2, parsed("responses", answer({ type = "output_text", text = "{}" }))).field)
      assert.same("refusal", select(2, parsed("responses", answer({ type = "refusal", refusal = "No." }))).code)
    end)

    it("Messages", function()
      local function answer(text, reason)
        return { type = "message", stop_reason = reason, content = { { type = "text", text = text } } }
      end
      assert.same({ city = "Rome" }, parsed("messages", answer('{"city":"Rome"}', "end_turn")))
      assert.same("length", select(2, parsed("messages", answer('{"city":"Ro', "max_tokens"))).code)
      assert.same("refusal", select(2, parsed("messages", answer("No.", "refusal"))).code)
    end)
  end)

  it("puts a schema and a word for thinking where each dialect has them", function()
    local reasoning = require "llm_gateway.helpers.reasoning"
    local structured = require "llm_gateway.helpers.structured"
    local function body_of(api, way)
      local body = { response_format = CITY, reasoning = "low", text = { verbosity = "low" } }
      assert(structured.ask(body, { response_format = CITY }, api))
      reasoning.put(body, way)
      return body
    end
    local of_responses = body_of("responses", "reasoning")
    assert.same({ type = "json_schema", name = "answer", strict = true, schema = CITY }, of_responses.text.format)
    assert.same("low", of_responses.text.verbosity)
    assert.same({ effort = "low" }, of_responses.reasoning)
    assert.is_nil(of_responses.response_format)
    local of_messages = body_of("messages", "thinking")
    assert.same({ format = { type = "json_schema", schema = CITY } }, of_messages.output_config)
    assert.same("enabled", of_messages.thinking.type)
    assert.is_nil(of_messages.response_format)
  end)
end)
