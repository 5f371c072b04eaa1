-- llm.conversation(): what is remembered, what is not, how it is kept short and carried over.
local history = require "llm_gateway.helpers.history"
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local support = require "spec.support"

describe("a conversation", function()
  local client
  local gateway = support.gateway(nil, function(started) client = support.client(started) end)

  local function roles(messages)
    local list = {}
    for i, message in ipairs(messages) do list[i] = message.role end
    return table.concat(list, " ")
  end

  local function last_body()
    return json.decode(client:request({ method = "GET", path = "/~stats" }).last.body)
  end

  it("remembers what was said", function()
    local talk = llm.conversation(client, { model = "gpt-4", system = "Be brief." })
    assert.matches("Hello", llm.assert(talk:say("Hi! My name is Ada.")):text())
    assert.matches("Ada", llm.assert(talk:say("What is my name?")):text())
    assert.same("system user assistant user assistant", roles(talk.messages))
    assert.same("What is my name?", talk.messages[4].content)
    assert.matches("5 messages", tostring(talk))
  end)

  it("sends its fields with each turn, and one turn's with that", function()
    local talk = llm.conversation(client, { model = "gpt-4", temperature = 0.5, user = "u" })
    llm.assert(talk:say("Hello", { temperature = 0 }))
    local body = last_body()
    assert.same({ "gpt-4", 0, "u" }, { body.model, body.temperature, body.user })
    assert.same(1, #body.messages)
    assert.is_nil(body.max_messages)
    llm.assert(talk:say("Hello"))
    assert.same(0.5, last_body().temperature)
  end)

  it("takes text, parts, a message and messages", function()
    local talk = llm.conversation(client)
    llm.assert(talk:say({ { type = "text", text = "Say: parts" } }))
    assert.same("parts", talk.messages[1].content[1].text:match("%a+$"))
    llm.assert(talk:say({ content = "Say: one", name = "ada" }))
    assert.same({ "user", "ada" }, { talk.messages[3].role, talk.messages[3].name })
    llm.assert(talk:say({ { role = "system", content = "x" }, { role = "user", content = "Say: two" } }))
    assert.same("user assistant user assistant system user assistant", roles(talk.messages))
  end)

  describe("stays as it was", function()
    it("after a turn that failed", function()
      local refused = support.faulty(gateway, "status/500")
      local talk = llm.conversation(refused, { system = "x" })
      local before = talk:json()
      local reply, err = talk:say("Hello")
      assert.is_nil(reply)
      assert.is_true(llm.is_error(err))
      assert.same(before, talk:json())
      local _, fault = llm.conversation(client):say({ role = "nobody", content = "x" })
      assert.same("messages[1].role", fault.field)
    end)

    it("after a stream that broke, was closed, or is not read to its end", function()
      local broken = support.streaming(gateway, { support.delta('"delta":{"content":"Hal"}') })
      local talk = llm.conversation(broken)
      local stream = llm.assert(talk:say("Hello", { stream = true }))
      local _, err = support.drain(stream)
      assert.same("stream", err.kind)
      assert.same(0, #talk.messages)

      talk = llm.conversation(client)
      stream = llm.assert(talk:say("Count to 20", { stream = true }))
      stream:next()
      assert.same(0, #talk.messages)
      stream:close()
      assert.same(0, #talk.messages)
      llm.assert(talk:say("Say: yes"))
      assert.same("user assistant", roles(talk.messages))
    end)

    it("after a dry run", function()
      local talk = llm.conversation(client)
      assert.is_true(llm.assert(talk:say("Hello", { dry_run = true })).dry_run)
      assert.same(0, #talk.messages)
    end)
  end)

  it("remembers streams that ended well, however they are read", function()
    local talk = llm.conversation(client)
    local texts = {}
    for text in llm.assert(talk:say("Count to 3", { stream = true })):texts() do table.insert(texts, text) end
    assert.same("1 2 3", table.concat(texts))
    assert.same("1 2 3", talk.messages[2].content)
    assert.same("1 2 3 4", llm.assert(llm.assert(talk:say("Count to 4", { stream = true })):collect()):text())
    assert.same("1 2 3 4", talk.messages[4].content)
    support.drain(llm.assert(talk:say("Count to 2", { stream = true })))
    assert.same("user assistant user assistant user assistant", roles(talk.messages))
    for _ in talk:say("Count to 2", { stream = true }) do assert.same(6, #talk.messages) end
    assert.same(8, #talk.messages)
  end)

  it("streams each turn where its options say so", function()
    local talk = llm.conversation(client, { stream = true })
    local texts = {}
    for text in llm.assert(talk:say("Count to 3")):texts() do table.insert(texts, text) end
    assert.same({ "1 2 3", 2 }, { table.concat(texts), #talk.messages })
    assert.equal("1 2", llm.assert(talk:say("Count to 2", { stream = false })):text())
  end)

  it("remembers every piece of a stream whose events came at once", function()
    local events = {}
    for word in ("1 2 3 4 5 6 7 8 9"):gmatch("%d") do
      table.insert(events, support.delta('"delta":{"content":"' .. word .. ' "}'))
    end
    table.insert(events, support.delta('"delta":{},"finish_reason":"stop"'))
    table.insert(events, "[DONE]")
    local reads = {
      function(stream) for _ in stream:texts() do end end, -- luacheck: ignore
      function(stream) for _ in stream do end end, -- luacheck: ignore
      function(stream) stream:collect() end,
      support.drain,
    }
    for _, read in ipairs(reads) do
      local talk = llm.conversation(support.streaming(gateway, events))
      local stream = llm.assert(talk:say("Count", { stream = true }))
      stream:info()
      read(stream)
      assert.same("1 2 3 4 5 6 7 8 9 ", talk.messages[2].content)
    end
  end)

  it("forks", function()
    local talk = llm.conversation(client, { model = "gpt-4", system = "x" })
    llm.assert(talk:say("My name is Ada. Say hi."))
    local other = talk:fork()
    llm.assert(other:say("What is my name?"))
    assert.same(3, #talk.messages)
    assert.same(5, #other.messages)
    assert.matches("Ada", other.messages[5].content)
    other.messages[2].content = "changed"
    assert.matches("My name", talk.messages[2].content)
  end)

  describe("goes through JSON", function()
    it("and comes back", function()
      local talk = llm.conversation(client, { system = "x" })
      llm.assert(talk:say("My name is Ada. Say hi."))
      for _, saved in ipairs({ talk:json(), json.decode(talk:json()), llm.json.encode(talk.messages) }) do
        local again = llm.conversation(client, { messages = saved })
        assert.matches("Ada", llm.assert(again:say("What is my name?")):text())
        assert.same(5, #again.messages)
      end
      assert.same("[]", llm.conversation(client):json())
    end)

    it("but not when it was cut short", function()
      local saved = '[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]'
      for length = 0, #saved - 1 do
        local talk, err = llm.conversation(client, { messages = saved:sub(1, length) })
        assert.is_nil(talk)
        assert.same("messages", err.field)
      end
      local function fault(messages) return select(2, llm.conversation(client, { messages = messages })).field end
      assert.same("messages[1].role", fault({ { content = "x" } }))
      assert.same("messages[1]", fault({ "x" }))
      assert.same("messages", fault({ role = "user" }))
      assert.same("messages", fault(3))
      assert.same("messages", fault("{}"))
      assert.is_truthy(llm.conversation(client, { messages = "[]" }))
      local call = { role = "assistant", tool_calls = { { id = "c1", type = "function", ["function"] = {} } } }
      local result = { role = "tool", tool_call_id = "c1", content = "x" }
      assert.same("messages[1]", fault({ result }))
      assert.same("messages[2]", fault({ call, { role = "user", content = "x" } }))
      assert.is_truthy(llm.conversation(client, { messages = { call, result } }))
      assert.is_truthy(llm.conversation(client, { messages = { call } }))
    end)

    it("and a new system's text takes the old one's place", function()
      local saved = { { role = "system", content = "old" }, { role = "user", content = "a" } }
      local talk = llm.conversation(client, { messages = saved, system = "new" })
      assert.same("new", talk.messages[1].content)
      assert.same(2, #talk.messages)
      assert.same("old", saved[1].content)
    end)
  end)

  describe("is kept short", function()
    it("by dropping the oldest", function()
      local talk = llm.conversation(client, { system = "x", max_messages = 4 })
      for i = 1, 4 do
        llm.assert(talk:say("Say: " .. i))
        assert.is_true(#talk.messages <= 4)
        assert.is_true(#last_body().messages <= 4)
      end
      assert.same("system user assistant", roles(talk.messages))
      assert.same({ "x", "Say: 4", "4" }, {
        talk.messages[1].content, talk.messages[2].content, talk.messages[3].content })
      assert.same("system user assistant user", roles(last_body().messages))
    end)

    it("and begins with what was asked, as many a model wants it", function()
      for most = 1, 6 do
        local talk = llm.conversation(client, { system = "x", max_messages = most })
        for i = 1, 5 do
          llm.assert(talk:say("Say: " .. i))
          assert.matches("^system user", roles(last_body().messages))
        end
      end
    end)

    it("without parting a call of tools from its results", function()
      local function shortened(most)
        local list = {}
        for role in ("system user call tool tool assistant user assistant"):gmatch("%a+") do
          table.insert(list, { role = role })
        end
        history.shorten(list, most, #list)
        return roles(list)
      end
      assert.same("system user call tool tool assistant user assistant", shortened(8))
      assert.same("system user assistant", shortened(7))
      assert.same("system user assistant", shortened(4))
      assert.same("system assistant", shortened(2))
      assert.same("system assistant", shortened(1))
    end)

    it("but never by what is being said", function()
      local talk = llm.conversation(client, { system = "x", max_messages = 1 })
      assert.matches("7", llm.assert(talk:say("What is 3 + 4?")):text())
      assert.same("system assistant", roles(talk.messages))
    end)
  end)

  describe("with tools", function()
    local parameters = { type = "object", properties = { city = { type = "string" } } }
    local tools = { { name = "get_weather", parameters = parameters,
      call = function(arguments) return "sunny in " .. arguments.city end } }

    it("runs them, and remembers all of it", function()
      local talk = llm.conversation(client, { tools = tools })
      assert.matches("sunny in Paris", llm.assert(talk:say("What is the weather in Paris?")):text())
      assert.same("user assistant tool assistant", roles(talk.messages))
      local run = llm.assert(talk:say("What is the weather in Rome?", { stream = true }))
      local event = run:next()
      while event do event = run:next() end
      assert.same("user assistant tool assistant user assistant tool assistant", roles(talk.messages))
      local reply, err = talk:say("Call always: get_weather {\"city\":\"x\"}", { max_rounds = 2 })
      assert.is_nil(reply)
      assert.same("max_rounds", err.code)
      assert.same(8, #talk.messages)
    end)

    it("of the program's own, takes their results", function()
      local given = { type = "function", ["function"] = { name = "get_weather", parameters = parameters } }
      local talk = llm.conversation(client, { tools = { given } })
      local reply = llm.assert(talk:say("What is the weather in Paris and Rome?"))
      local results = {}
      for _, call in ipairs(reply.choices[1].message.tool_calls) do
        table.insert(results, { role = "tool", tool_call_id = call.id, content = "fine" })
      end
      assert.matches("fine", llm.assert(talk:say(results)):text())
      assert.same("user assistant tool tool assistant", roles(talk.messages))
    end)
  end)

  describe("over other dialects", function()
    local ANSWERS = {
      responses = { object = "response", status = "completed", output = {
        { type = "reasoning", id = "r", summary = json.array() },
        { type = "message", id = "m", role = "assistant", content = { { type = "output_text", text = "Hi" } } } } },
      messages = { type = "message", role = "assistant", stop_reason = "end_turn",
        content = { { type = "text", text = "Hi" } } },
    }

    for api, answer in pairs(ANSWERS) do
      it(api .. " remembers what was said", function()
        local scripted = support.answering(gateway, json.encode(answer))
        local talk = llm.conversation(scripted, { api = api, model = "m", system = "Be brief.", max_tokens = 100 })
        assert.same("Hi", llm.text(llm.assert(talk:say("Hello"))))
        local each = api == "responses" and 3 or 2
        assert.same(1 + each, #talk.messages)
        llm.assert(talk:say("Again"))
        assert.same(1 + 2 * each, #talk.messages)
        assert.same("Be brief.", talk.messages[1].content)
        local again = llm.assert(llm.conversation(scripted, { api = api, messages = talk:json() }))
        assert.same(talk:json(), again:json())
      end)
    end

    it("remembers a stream of them, and tells the system's text apart", function()
      local events = {
        '{"type":"message_start","message":{"type":"message","role":"assistant","content":[]}}',
        '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}',
        '{"type":"content_block_stop","index":0}', '{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
        '{"type":"message_stop"}',
      }
      local sent
      local spy = support.streaming(gateway, events)
      local talk = llm.conversation(spy, { api = "messages", model = "m", system = "x", max_tokens = 5 })
      for text in llm.assert(talk:say("Hello", { stream = true })):texts() do sent = text end
      assert.same("Hi", sent)
      assert.same("system user assistant", roles(talk.messages))
      assert.same("Hi", talk.messages[3].content[1].text)
      local list = { { role = "system", content = "x" }, { role = "user" } }
      assert.same("x", history.take_system(list))
      assert.same({ { role = "user" } }, list)
    end)

    it("keeps what belongs together", function()
      local list = { { role = "user" }, { type = "reasoning" }, { type = "function_call" },
        { type = "function_call_output" }, { role = "assistant", type = "message" }, { role = "user" } }
      history.shorten(list, 6, #list)
      assert.equal(6, #list)
      history.shorten(list, 5, #list)
      assert.same({ { role = "user" } }, list)
      list = { { role = "user", content = "a" }, { role = "assistant", content = { { type = "tool_use" } } },
        { role = "user", content = { { type = "tool_result" } } }, { role = "assistant", content = "b" } }
      history.shorten(list, 2, #list)
      assert.same({ { role = "assistant", content = "b" } }, list)
    end)

    it("no other one", function()
      assert.is_false(pcall(llm.conversation, client, { api = "completions" }))
    end)
  end)

  it("goes on in tasks", function()
    llm.run(function()
      local talk = llm.conversation(client)
      local a = llm.spawn(function() return talk:say("Say: a") end)
      local b = llm.spawn(function() return talk:say("Say: b") end)
      llm.assert(a:join())
      llm.assert(b:join())
      assert.same("user assistant user assistant", roles(talk.messages))
      assert.same(talk.messages[1].content, "Say: " .. talk.messages[2].content)
    end)
  end)

  it("says misuse at the caller's line", function()
    local function said(fn, ...)
      local ok, err = pcall(fn, ...)
      assert.is_false(ok)
      assert.matches("conversation_spec.lua:%d+: ", err)
      return err
    end
    assert.matches("expected a client", said(function() llm.conversation({}) end))
    assert.matches("max_messages", said(function() llm.conversation(client, { max_messages = 0 }) end))
    assert.matches("system", said(function() llm.conversation(client, { system = 1 }) end))
    for slip, meant in pairs({ max_message = "max_messages", sytem = "system", mesages = "messages" }) do
      assert.matches(("%s: did you mean %q"):format(slip, meant),
        said(function() llm.conversation(client, { [slip] = 1 }) end))
    end
    local talk = llm.conversation(client)
    assert.matches("expected text or a message", said(function() talk:say() end))
    assert.matches("expected a conversation", said(function() talk.say({}, "x") end))
    assert.matches("timeout", said(function() talk:say("x", { timeout = 0 }) end))
    assert.matches("timeout", said(function() llm.conversation(client, { timeout = 0 }) end))
    local closed = client:with({})
    local last = llm.conversation(closed)
    closed:close()
    assert.matches("the client is closed", said(function() last:say("x") end))
  end)
end)
