-- client:run_tools{}: rounds, results, bad input, bounds, over the development gateway.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local support = require "spec.support"
local task = require "llm_gateway.loop.coroutines"

local CITY = { type = "object", properties = { city = { type = "string" } }, required = { "city" } }

local function tool(name, call, parameters)
  return { name = name, description = "Does " .. name, parameters = parameters, call = call }
end

local function weather(call)
  return tool("get_weather", call or function(arguments) return { city = arguments.city, sky = "clear" } end, CITY)
end

local function results(messages)
  local list = {}
  for _, message in ipairs(messages) do
    if message.role == "tool" then table.insert(list, message.content) end
  end
  return list
end

local function error_of(text) return (llm.json.decode(text) or {}).error end

describe("run_tools", function()
  local client
  local gateway = support.gateway(nil, function(started) client = support.client(started) end)

  local function ask(question, tools, fields)
    local request = support.ask(question, fields)
    request.tools = tools
    return client:run_tools(request)
  end

  describe("returns", function()
    it("the last reply, all messages and the summed usage", function()
      local request = support.ask("What is the weather in Paris?", { tools = { weather() } })
      local reply, messages = client:run_tools(request)
      assert.matches('get_weather says: {"city":"Paris","sky":"clear"}', reply:text(), 1, true)
      assert.same(4, #messages)
      assert.same({ "user", "assistant", "tool", "assistant" },
        { messages[1].role, messages[2].role, messages[3].role, messages[4].role })
      assert.same(messages[2].tool_calls[1].id, messages[3].tool_call_id)
      assert.same(reply.choices[1].message, messages[4])
      assert.same(1, #request.messages)
      local usage = reply:info().usage
      assert.is_true(usage.total_tokens > reply.usage.total_tokens)
      assert.same(usage.prompt_tokens + usage.completion_tokens, usage.total_tokens)
    end)

    it("an answer without calls at once", function()
      local reply, messages = ask("What is 6 times 7?", { weather() })
      assert.matches("42", reply:text())
      assert.same(2, #messages)
      assert.same(reply.usage, reply:info().usage)
    end)

    it("messages that go on", function()
      local _, messages = ask("What is the weather in Paris?", { weather() })
      table.insert(messages, { role = "user", content = "What is 2 + 3?" })
      local reply = llm.assert(client:run_tools({ messages = messages, tools = { weather() } }))
      assert.matches("5", reply:text())
    end)

    it("and takes no tools, a provider's own, and chat's form", function()
      assert.matches("42", llm.assert(ask("What is 6 times 7?", {})):text())
      local own = { type = "web_search" }
      assert.matches("42", llm.assert(ask("What is 6 times 7?", { own })):text())
      local of_chat = { type = "function", call = function(arguments) return arguments.city .. "!" end,
        ["function"] = { name = "get_weather", parameters = CITY } }
      assert.matches("Paris!", llm.assert(ask("What is the weather in Paris?", { of_chat })):text())
    end)
  end)

  describe("tells the model", function()
    local function result(call, arguments)
      local _, messages = ask("Call: it " .. (arguments or "{}"), { tool("it", call) })
      return results(messages)[1]
    end

    it("what a tool returns", function()
      assert.same("words", result(function() return "words" end))
      assert.same("42", result(function() return 42 end))
      assert.same("0.5", result(function() return 0.5 end))
      assert.same("false", result(function() return false end))
      assert.same("null", result(function() return nil end))
      assert.same("null", result(function() end))
      assert.same('{"a":[1,2]}', result(function() return { a = { 1, 2 } } end))
    end)

    it("what a tool cannot return", function()
      assert.matches("cannot be sent: a function cannot", error_of(result(function() return print end)))
      assert.matches("fn: a function cannot", error_of(result(function() return { fn = print } end)))
      local cycle = {}
      cycle.me = cycle
      assert.matches("me: a table that contains itself", error_of(result(function() return cycle end)))
      assert.matches("infinite", error_of(result(function() return 1 / 0 end)))
    end)

    it("what a tool raises, or returns beside nil", function()
      assert.matches("no such city$", error_of(result(function() error("no such city") end)))
      assert.same("no such city", error_of(result(function() return nil, "no such city" end)))
      assert.same({ code = 3, at = "desk" }, error_of(result(function() error({ code = 3, at = "desk" }) end)))
      assert.matches("^table: ", error_of(result(function() error({ call = print }) end)))
      assert.same("the tool failed, and did not say why", error_of(result(function() error() end)))
      assert.matches("no UTF%-8", error_of(result(function() return "\255" end)))
      local err = error_of(result(function()
        llm.assert(support.faulty(gateway, "status/503"):chat(support.ask("Hello")))
      end))
      assert.matches("^%[%d+%] ", err)
    end)

    it("of an unknown tool", function()
      local _, messages = ask("Call: other {}", { weather() })
      assert.same('there is no tool called "other" (these are: get_weather)', error_of(results(messages)[1]))
    end)

    it("of arguments that are no JSON, or do not fit", function()
      local called = 0
      local function given(text)
        local _, messages = ask("Call: get_weather " .. text, { weather(function() called = called + 1 end) })
        return error_of(results(messages)[1])
      end
      assert.matches("^the arguments are no JSON: ", given('{"city": "Par'))
      assert.matches("no JSON object", given('"Paris"'))
      assert.matches("no JSON object", given("[]"))
      assert.same("the arguments do not fit the tool's parameters: city: is missing", given("{}"))
      assert.same("the arguments do not fit the tool's parameters: city: expected text, got 7", given('{"city":7}'))
      assert.same("the arguments do not fit the tool's parameters: city: is missing", given(""))
      assert.same(0, called)
    end)

    it("of no arguments where a tool takes none", function()
      local seen
      assert.same("yes", result(function(arguments) seen = arguments return "yes" end, ""))
      assert.same({}, seen)
      for _, given in ipairs({ "null", " None ", "undefined" }) do
        assert.same("yes", result(function(arguments) seen = arguments return "yes" end, given))
        assert.same({}, seen)
      end
    end)

    it("of each of the same calls", function()
      local n = 0
      local it_tool = tool("it", function() n = n + 1 return "done" end)
      local _, messages = ask('Call: it {"a":1}\nCall: it {"a":1}', { it_tool })
      assert.same(2, n)
      assert.same({ "done", "done" }, results(messages))
      assert.are_not.same(messages[3].tool_call_id, messages[4].tool_call_id)
    end)

    it("results in the order of the calls", function()
      local slow = tool("slow", function() llm.sleep(0.05) return "slow" end)
      local fast = tool("fast", function() return "fast" end)
      local _, messages = ask("Call: slow {}\nCall: fast {}", { slow, fast })
      assert.same({ "slow", "fast" }, results(messages))
    end)
  end)

  describe("asks approve", function()
    it("and runs nothing that is denied", function()
      local called, seen = 0, nil
      local function it_runs(approve)
        local counted = weather(function() called = called + 1 end)
        local _, messages = ask('Call: get_weather {"city":"Paris"}', { counted }, { approve = approve })
        return error_of(results(messages)[1])
      end
      assert.same("the call was denied: too dear", it_runs(function(call) seen = call return false, "too dear" end))
      assert.same("get_weather", seen.name)
      assert.same("Paris", seen.arguments.city)
      assert.same("string", type(seen.id))
      assert.same("the call was denied", it_runs(function() return false end))
      assert.same("the call was denied", it_runs(function() end))
      assert.same(0, called)
      assert.is_nil(it_runs(function() return true end))
      assert.same(1, called)
    end)

    it("only of calls that could run", function()
      local asked = 0
      ask("Call: get_weather {}\nCall: other {}", { weather() }, { approve = function() asked = asked + 1 end })
      assert.same(0, asked)
    end)

    it("and ends when it raises, running nothing", function()
      local called = 0
      local reply, err, messages = ask("Call: get_weather {\"city\":\"Paris\"}",
        { weather(function() called = called + 1 end) }, { approve = function() error("a bug", 0) end })
      assert.is_nil(reply)
      assert.same("task", err.kind)
      assert.same("a bug", err.message)
      assert.same(3, #messages)
      assert.same(0, called)
    end)
  end)

  it("sees a slip of the pen in the names of its own options", function()
    for name, meant in pairs({ max_round = "max_rounds", aprove = "approve", time_out = "timeout" }) do
      local reply, err = ask("hi", { weather() }, { [name] = 1 })
      assert.is_nil(reply)
      assert.same({ "validation", name }, { err.kind, err.field })
      assert.truthy(err.message:find(meant, 1, true), err.message)
    end
  end)

  describe("is bounded", function()
    it("in rounds", function()
      local called = 0
      local again = tool("again", function() called = called + 1 return "more" end)
      local reply, err, messages = ask("Call always: again {}", { again }, { max_rounds = 3 })
      assert.is_nil(reply)
      assert.same("validation", err.kind)
      assert.same("max_rounds", err.code)
      assert.same(3, called)
      assert.same(1 + 3 * 2, #messages)
      assert.is_true(err.usage.total_tokens > 0)
      called = 0
      assert.same("max_rounds", select(2, ask("Call always: again {}", { again })).code)
      assert.same(10, called)
    end)

    it("in time, while a tool runs", function()
      local finished, started = false, core.now()
      local slow = tool("slow", function() llm.sleep(30) finished = true end)
      local fast = tool("fast", function() return "fast" end)
      local reply, err, messages = ask("Call: slow {}\nCall: fast {}", { slow, fast }, { timeout = 0.1 })
      assert.is_nil(reply)
      assert.same("timeout", err.kind)
      assert.matches("0.1 seconds", err.message)
      assert.is_false(finished)
      assert.is_true(core.now() - started < 5)
      assert.matches("time for all of it is over", error_of(results(messages)[1]))
      assert.same("fast", results(messages)[2])
      assert.is_false(llm.pending())
    end)

    it("in time, while a model answers", function()
      local stalled = support.faulty(gateway, "stall")
      local reply, err = stalled:run_tools(support.ask("Hello", { tools = { weather() }, timeout = 0.1 }))
      assert.is_nil(reply)
      assert.same("timeout", err.kind)
      assert.matches("run_tools took longer", err.message)
    end)
  end)

  describe("runs no tool of a reply that", function()
    local called
    local function it_tool() return tool("it", function() called = called + 1 end) end
    before_each(function() called = 0 end)

    local CALL = '"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"it","arguments":"{}"}}]'

    it("was cut, or refused", function()
      for _, reason in ipairs({ "length", "max_tokens", "content_filter" }) do
        local body = '{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",' .. CALL
          .. '},"finish_reason":"' .. reason .. '"}]}'
        local reply, err, messages = support.answering(gateway, body):run_tools(
          support.ask("Hello", { tools = { it_tool() } }))
        assert.is_nil(reply)
        assert.same(reason, err.code)
        assert.same(1, #messages)
        assert.same(0, called)
      end
    end)

    it("broke off in a stream", function()
      local broken = support.streaming(gateway, { support.delta('"delta":{' .. CALL .. '}') })
      local run = broken:run_tools(support.ask("Hello", { tools = { it_tool() }, stream = true }))
      local event, err, messages = run:next()
      assert.is_nil(event)
      assert.same("stream", err.kind)
      assert.same(1, #messages)
      assert.same(0, called)
      assert.same(err, select(2, run:next()))
    end)
  end)

  it("gives calls ids of their own, and reads arguments that are a table", function()
    local call = '{"id":"x","function":{"name":"it","arguments":{"a":1}}}'
    local body = '{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","tool_calls":['
      .. call .. "," .. call .. ',{"function":{"name":"it"}}]},"finish_reason":"tool_calls"}]}'
    local _, _, messages = support.answering(gateway, body):run_tools(support.ask("Hello",
      { max_rounds = 1, tools = { tool("it", function(arguments) return arguments.a or "none" end) } }))
    assert.same({ "1", "1", "none" }, results(messages))
    local ids = {}
    for i, made in ipairs(messages[2].tool_calls) do
      assert.is_nil(ids[made.id])
      ids[made.id] = true
      assert.same("string", type(made["function"].arguments))
      assert.same(made.id, messages[2 + i].tool_call_id)
    end
  end)

  describe("with stream = true", function()
    local function collect(run)
      local list = {}
      local event, err = run:next()
      while event do
        table.insert(list, event)
        event, err = run:next()
      end
      return list, err
    end

    it("hands over texts, calls and results as they come", function()
      local events = collect(ask("What is the weather in Paris and Rome?", { weather() },
        { stream = true, stream_options = { include_usage = true } }))
      local kinds, text = {}, {}
      for _, event in ipairs(events) do
        if event.type == "text" then table.insert(text, event.text) else table.insert(kinds, event.type) end
      end
      assert.same({ "tool_call", "tool_call", "tool_result", "tool_result", "done" }, kinds)
      assert.same({ "get_weather", '{"city":"Paris"}' }, { events[1].name, events[1].arguments })
      assert.same(events[1].id, events[3].id)
      assert.is_false(events[3].failed)
      local done = events[#events]
      assert.same(table.concat(text), done.reply:text())
      assert.same(5, #done.messages)
      assert.is_true(done.usage.total_tokens > done.reply.usage.total_tokens)
    end)

    it("goes through `for`, which raises what went wrong", function()
      if not task.for_can_yield then return end
      local last
      for event in ask("What is the weather in Paris?", { weather() }, { stream = true }) do last = event end
      assert.same("done", last.type)
      local ok, err = pcall(function()
        local it_tool = tool("it", function() end)
        for event in ask("Call always: it {}", { it_tool }, { stream = true, max_rounds = 2 }) do last = event end
      end)
      assert.is_false(ok)
      assert.same("tool_result", last.type)
      assert.same("max_rounds", err.code)
    end)

    it("hands over each result as its tool ends", function()
      local slow = tool("slow", function() llm.sleep(0.05) return "slow" end)
      local fast = tool("fast", function() return "fast" end)
      local events = collect(ask("Call: slow {}\nCall: fast {}", { slow, fast }, { stream = true }))
      assert.same({ "fast", "slow" }, { events[3].name, events[4].name })
      assert.same({ "slow", "fast" }, results(events[#events].messages))
    end)

    it("closes the stream and the tools", function()
      local ended
      local slow = tool("slow", function()
        local ok = task.pcall_can_yield and pcall(llm.sleep, 30)
        ended = ok
      end)
      local run = ask("Call: slow {}\nCall: fast {}", { slow, tool("fast", function() end) }, { stream = true })
      repeat local event = run:next() until event.type == "tool_result"
      run:close()
      local event, err = run:next()
      assert.is_nil(event)
      assert.same("cancelled", err.kind)
      while llm.pending() do llm.step(0.1) end
      assert.is_falsy(ended)
    end)
  end)

  describe("in tasks", function()
    it("lets others go on, and runs calls at the same time #timed", function()
      local slow = tool("slow", function() llm.sleep(0.3) return "done" end)
      local ticks, started = 0, core.now()
      llm.run(function()
        local run = llm.spawn(function() return ask("Call: slow {}\nCall: slow {}", { slow }) end)
        while run:status() ~= "done" do
          llm.sleep(0.01)
          ticks = ticks + 1
        end
        assert.same("slow says: done\nslow says: done", run:join():text())
      end)
      assert.is_true(core.now() - started < 0.55)
      assert.is_true(ticks > 10)
    end)

    it("cancels what it has under way", function()
      local slept, reached = false, false
      local slow = tool("slow", function() reached = true llm.sleep(30) slept = true end)
      llm.run(function()
        local run = llm.spawn(function() return ask("Call: slow {}", { slow }) end)
        while not reached do llm.sleep(0.001) end
        run:cancel()
        local reply, err = run:join()
        assert.is_nil(reply)
        assert.same("cancelled", err.kind)
      end)
      assert.is_false(slept)
      assert.is_false(llm.pending())
    end)

    it("never blocks a step", function()
      local done
      llm.spawn(function()
        done = ask("What is the weather in Paris?", { weather(function() llm.sleep(0.01) return "fine" end) })
      end)
      local longest = 0
      while llm.pending() do
        local before = core.now()
        llm.step(0, 0.002)
        longest = math.max(longest, core.now() - before)
      end
      assert.matches("fine", done:text())
    end)

    it("refuses a coroutine that could not wait for tools", function()
      local said
      llm.run(function()
        local co = coroutine.wrap(function() said = select(2, pcall(ask, "Hello", { weather() })) end)
        co()
      end)
      assert.matches("inside a task from another coroutine", said)
    end)
  end)

  it("hands over what it has when a tool closes the client", function()
    local closing = client:with({})
    local called = 0
    local reply, err, messages = closing:run_tools({
      messages = { { role = "user", content = "What is the weather in Paris?" } }, tools = { weather(function()
        called = called + 1
        closing:close()
        return "sunny"
      end) },
    })
    assert.same({ false, "cancelled", 1 }, { reply ~= nil, err.kind, called })
    assert.equal("tool", messages[#messages].role)
  end)

  describe("refuses", function()
    local function fault(tools, fields)
      local reply, err = ask("Hello", tools, fields)
      assert.is_nil(reply)
      assert.same("validation", err.kind)
      assert.is_nil(err.status)
      return err.field, err.message
    end

    it("tools that are none", function()
      assert.same("tools", (fault(nil)))
      assert.same("tools", (fault({ name = "x", call = print })))
      assert.same("tools[1]", (fault({ "x" })))
      assert.same("tools[1].name", (fault({ { call = print } })))
      assert.same("tools[1].call", (fault({ { name = "x" } })))
      assert.same("tools[1].parameter", (fault({ { name = "x", call = print, parameter = {} } })))
      assert.same("tools[2].name", (fault({ { name = "x", call = print }, { name = "x", call = print } })))
    end)

    it("parameters it could not check", function()
      local function of(parameters) return fault({ tool("x", print, parameters) }) end
      assert.same("tools[1].parameters.properties.a.pattern", (of({ properties = { a = { pattern = "^a" } } })))
      assert.same("tools[1].parameters.properties.a.type", (of({ properties = { a = { type = "strin" } } })))
      local cycle = { type = "object", properties = {} }
      cycle.properties.me = cycle
      local field, message = of(cycle)
      assert.same("tools[1].parameters.properties.me", field)
      assert.matches("contains itself", message)
    end)

    it("numbers and functions that are none", function()
      assert.same("approve", (fault({ weather() }, { approve = true })))
      assert.same("max_rounds", (fault({ weather() }, { max_rounds = "3" })))
      assert.same("timeout", (fault({ weather() }, { timeout = "3" })))
      local ok, err = pcall(ask, "Hello", { weather() }, { max_rounds = 0 })
      assert.is_false(ok)
      assert.matches("max_rounds: expected a whole number from 1 up", err)
      assert.is_false(pcall(ask, "Hello", { weather() }, { timeout = -1 }))
      assert.same("messages[1].role", select(2, client:run_tools({ messages = { {} }, tools = {} })).field)
    end)

    it("misuse at the caller's line", function()
      local ok, err = pcall(function() client:run_tools({ messages = {}, tools = {}, max_rounds = 0.5 }) end)
      assert.is_false(ok)
      assert.matches("tools_spec.lua:%d+: max_rounds", err)
      ok, err = pcall(function() client.run_tools({}) end)
      assert.is_false(ok)
      assert.matches("tools_spec.lua:%d+: run_tools: expected a client", err)
      for name, value in pairs({ total_timeout = 0, max_retries = -1, event_timeout = 0 }) do
        ok, err = pcall(function() client:run_tools({ messages = {}, tools = {}, [name] = value, stream = true }) end)
        assert.is_false(ok)
        assert.matches("tools_spec.lua:%d+: " .. name, err)
      end
    end)
  end)
end)
