-- What a program is shown of its calls: hooks, info, the log.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local support = require "spec.support"

describe("a program's view", function()
  local gateway = support.gateway()

  local function names_of(value)
    local names = {}
    for name in pairs(value) do table.insert(names, name) end
    table.sort(names)
    return table.concat(names, " ")
  end

  -- A client whose hooks keep what they get: {"request" | "response" | "retry", about}.
  local function watched(client)
    local list = {}
    local function keep(name) return function(about) table.insert(list, { name, about }) end end
    return client:with({
      on_request = keep("request"), on_response = keep("response"), on_retry = keep("retry"),
    }), list
  end

  local function open_streams()
    return assert(support.client(gateway):request({ method = "GET", path = "/~stats" })).streams_open
  end

  local function wait_until(condition)
    local deadline = core.now() + 5
    while not condition() do
      assert.is_true(core.now() < deadline, "it never came about")
      llm.sleep(0.001)
    end
  end

  describe("by hooks", function()
    it("has each attempt, its answer and the wait between, in order and with all their fields", function()
      local fault = "flaky;times=1;code=503;retry_after=0.01"
      local client, list = watched(support.faulty(gateway, fault, { max_retries = 2 }))
      assert(client:chat(support.ask("What is 6 times 7?")))
      local order = {}
      for i, item in ipairs(list) do order[i] = item[1] .. item[2].attempt end
      assert.same({ "request1", "response1", "retry1", "request2", "response2" }, order)
      assert.equal("attempt method url", names_of(list[1][2]))
      assert.same({ "POST", gateway.url .. "/~fault/flaky;times=1;code=503;retry_after=0.01/v1/chat/completions" },
        { list[1][2].method, list[1][2].url })
      assert.equal("attempt error method request_id status timings url", names_of(list[2][2]))
      assert.same({ 503, "server" }, { list[2][2].status, list[2][2].error.kind })
      assert.equal("attempt delay error method url", names_of(list[3][2]))
      assert.same({ 0.01, list[2][2].error }, { list[3][2].delay, list[3][2].error })
      assert.equal("attempt method request_id status timings url", names_of(list[5][2]))
      assert.equal(200, list[5][2].status)
    end)

    it("has timings in seconds, in their order, and bytes", function()
      local client, list = watched(support.faulty(gateway, "slow;seconds=0.1", { loop = llm.new_loop() }))
      local reply = assert(client:chat(support.ask("hi")))
      local times = list[2][2].timings
      assert.equal("bytes connect dns first_byte tls total", names_of(times))
      assert.is_true(times.dns >= 0 and times.connect >= times.dns and times.first_byte >= 0.1)
      assert.is_true(times.total >= times.first_byte and times.total < 2)
      assert.is_true(times.bytes > 100)
      assert.equal(0, times.tls)
      assert.same(times, reply:info().timings)
      assert(client:chat(support.ask("hi")))
      local kept = list[4][2].timings
      assert.same({ 0, 0, 0 }, { kept.dns, kept.connect, kept.tls })
    end)

    it("has a stream at its head, with the time of its first byte", function()
      local client, list = watched(support.client(gateway))
      local stream = assert(client:chat(support.ask("Count to 5", { stream = true })))
      assert.same({ "response", 200 }, { list[2][1], list[2][2].status })
      assert.is_true(list[2][2].timings.first_byte > 0)
      assert(stream:collect())
      assert.equal(2, #list)
    end)

    it("that raise closes what it was told of, at once", function()
      local client = support.client(gateway, { on_response = function() error("no", 0) end })
      local stalled = support.ask("x", { stream = true, headers = { ["X-Dev-Fault"] = "stall" } })
      collectgarbage("stop")
      finally(function() collectgarbage("restart") end)
      assert.same({ false, "no" }, { pcall(client.chat, client, stalled) })
      wait_until(function() return open_streams() == 0 end)
    end)

    it("has what failed without an answer: no status, the error, how far it came", function()
      local client, list = watched(support.faulty(gateway, "never", { timeout = 0.05, loop = llm.new_loop() }))
      client:chat(support.ask("hi"))
      local seen = list[2][2]
      assert.equal("attempt error method timings url", names_of(seen))
      assert.equal("timeout", seen.error.kind)
      assert.is_true(seen.timings.connect > 0 and seen.timings.total >= 0.05)
      assert.equal(0, seen.timings.first_byte)
    end)

    it("that raise end the call with what they raised, and leave nothing open", function()
      for _, name in ipairs({ "on_request", "on_response", "on_retry" }) do
        local thrown = { name }
        local client = support.client(gateway, { [name] = function() error(thrown) end, max_retries = 1 })
        local fault = name == "on_retry" and { ["X-Dev-Fault"] = "status;code=500" } or nil
        for _, stream in ipairs({ false, true }) do
          local request = support.ask("Count to 500", { stream = stream, headers = fault })
          local ok, why = pcall(client.chat, client, request)
          assert.is_false(ok)
          assert.equal(thrown, why)
          local task = llm.spawn(function() return client:chat(request) end)
          assert.equal(thrown, select(2, task:join()).cause)
        end
        assert.equal("healthy", assert(client:with({ [name] = function() end }):health()).status)
        if _VERSION == "Lua 5.1" then collectgarbage() end -- see call/hooks.lua
        wait_until(function() return open_streams() == 0 end)
      end
    end)

    it("may call the client themselves, and in a task may wait", function()
      local client
      local inner = 0
      local function nap(about)
        if about.url:find("/health") then return end
        assert.equal("healthy", client:health().status)
        llm.sleep(0.001)
        inner = inner + 1
      end
      client = support.client(gateway, { on_request = nap, on_response = nap })
      assert.matches("42", assert(client:chat(support.ask("What is 6 times 7?"))):text())
      assert.matches("42", llm.run(function() return client:chat(support.ask("What is 6 times 7?")):text() end))
      local stream = llm.run(function() return (client:chat(support.ask("Count to 3", { stream = true }))) end)
      assert.equal("1 2 3", assert(stream:collect()):text())
      assert.equal(6, inner)
    end)

    it("that spoil what they get spoil nothing else", function()
      local client = support.client(gateway, {
        on_request = function(about) about.url, about.method, about.attempt = nil, {}, 99 end,
        on_response = function(about) about.status, about.timings = "x", nil end,
      })
      local reply = assert(client:chat(support.ask("What is 6 times 7?")))
      assert.same({ 200, 1 }, { reply:info().status, reply:info().attempts })
    end)
  end)

  describe("by info", function()
    local LIMITS = {
      openai = {
        { "x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 59", "x-ratelimit-reset-requests: 1s",
          "x-ratelimit-limit-tokens: 150000", "x-ratelimit-remaining-tokens: 149984",
          "x-ratelimit-reset-tokens: 6m0s" },
        { requests = { limit = 60, remaining = 59, reset = "1s" },
          tokens = { limit = 150000, remaining = 149984, reset = "6m0s" } },
      },
      anthropic = {
        { "anthropic-ratelimit-requests-limit: 5", "anthropic-ratelimit-requests-remaining: 0",
          "anthropic-ratelimit-requests-reset: 2026-01-01T00:00:00Z",
          "anthropic-ratelimit-tokens-limit: 9" },
        { requests = { limit = 5, remaining = 0, reset = "2026-01-01T00:00:00Z" },
          tokens = { limit = 9 } },
      },
      plain = {
        { "X-RateLimit-Limit: 10", "X-RateLimit-Remaining: 3", "X-RateLimit-Reset: 1700000000" },
        { requests = { limit = 10, remaining = 3, reset = 1700000000 } },
      },
      ietf = {
        { "RateLimit-Limit: 10", "RateLimit-Remaining: 9", "RateLimit-Reset: 5" },
        { requests = { limit = 10, remaining = 9, reset = 5 } },
      },
    }

    for name, case in pairs(LIMITS) do
      it("has the rate limits that a gateway tells, as " .. name .. " does", function()
        local client = support.answering(gateway, '{"choices":[{"message":{}}]}', { headers = case[1] })
        assert.same(case[2], assert(client:chat(support.ask("hi"))):info().rate_limit)
        local done = support.delta('"delta":{"content":"x"},"finish_reason":"stop"')
        local body = "data: " .. done .. "\n\ndata: [DONE]\n\n"
        client = support.answering(gateway, body, { headers = case[1], type = "text/event-stream" })
        local stream = assert(client:chat(support.ask("hi", { stream = true })))
        assert.same(case[2], stream:info().rate_limit)
      end)
    end

    local NORMAL = {
      { "LiteLLM's headers", { "x-litellm-response-cost: 0.00012", "x-litellm-cache-hit: False",
          "x-litellm-model-provider: openai", "x-litellm-attempted-retries: 2", "x-litellm-call-id: call-1" },
        '{"model":"gpt-4o"}',
        { cost = 0.00012, cache = "miss", provider = "openai", model = "gpt-4o", upstream_attempts = 3,
          request_id = "call-1" } },
      { "OpenRouter's usage", {}, '{"id":"g","provider":"Groq","model":"m","usage":{"cost":0.5,"total_tokens":3}}',
        { cost = 0.5, provider = "Groq", model = "m" } },
      { "Portkey's headers", { "x-portkey-cache-status: SEMANTIC HIT", "x-portkey-provider: anthropic",
          "x-portkey-retry-attempt-count: 0", "x-portkey-trace-id: t1" }, "{}",
        { cache = "hit", provider = "anthropic", upstream_attempts = 1, request_id = "t1" } },
      { "Cloudflare's headers", { "cf-aig-cache-status: MISS", "cf-aig-log-id: l1" }, "{}",
        { cache = "miss", request_id = "l1" } },
      { "Kong's headers", { "X-Cache-Status: Hit", "X-Kong-LLM-Model: openai/gpt-4" }, '{"model":"x"}',
        { cache = "hit", model = "openai/gpt-4" } },
      { "Helicone's headers", { "Helicone-Id: h1" }, "{}", { request_id = "h1" } },
      { "Envoy's headers", { "x-envoy-attempt-count: 2" }, "{}", { upstream_attempts = 2 } },
      { "Bifrost's body", {}, '{"extra_fields":{"provider":"openai","cache_debug":{"cache_hit":true}}}',
        { provider = "openai", cache = "hit" } },
      { "Perplexity's usage", {}, '{"usage":{"cost":{"total_cost":0.006,"request_cost":0.005}}}', { cost = 0.006 } },
      { "words for nothing", { "x-litellm-response-cost: None", "x-portkey-cache-status: DISABLED",
          "x-litellm-model-provider: null" }, '{"usage":{"cost":-1},"provider":{}}', {} },
    }

    for _, case in ipairs(NORMAL) do
      it("has one form for " .. case[1], function()
        local client = support.answering(gateway, case[3], { headers = case[2] })
        local reply = assert(client:request({ path = "/x", body = {} }))
        local info, seen = reply:info(), {}
        for _, name in ipairs({ "cost", "cache", "provider", "model", "upstream_attempts", "request_id" }) do
          seen[name] = info[name]
        end
        assert.same(case[4], seen)
        assert.equal(info, llm.info(reply))
      end)
    end

    it("has a stream's cost once it came, and what headers tell before", function()
      local done = support.delta('"delta":{"content":"x"},"finish_reason":"stop"'):gsub("}$",
        ',"model":"m","usage":{"cost":0.25}}')
      local client = support.answering(gateway, "data: " .. done .. "\n\ndata: [DONE]\n\n", {
        type = "text/event-stream", headers = { "x-litellm-cache-hit: True" },
      })
      local stream = assert(client:chat(support.ask("x", { stream = true })))
      assert.same({ "hit", nil }, { stream:info().cache, stream:info().cost })
      local info = assert(stream:collect()):info()
      assert.same({ 0.25, "m", "hit" }, { info.cost, info.model, info.cache })
      stream = assert(client:chat(support.ask("x", { stream = true })))
      support.drain(stream)
      assert.same({ 0.25, "m", "hit" }, { stream:info().cost, stream:info().model, stream:info().cache })
    end)

    it("has what a stream's first chunk tells, and its last usage", function()
      local first = '{"provider":"openai","model":"m",'
        .. '"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}'
      local client = support.answering(gateway,
        ("data: %s\n\ndata: %s\n\ndata: [DONE]\n\n"):format(first, '{"choices":[],"usage":{"cost":0.25}}'),
        { type = "text/event-stream" })
      local stream = assert(client:chat(support.ask("x", { stream = true })))
      local info = assert(stream:collect()):info()
      assert.same({ "openai", "m", 0.25 }, { info.provider, info.model, info.cost })
      stream = assert(client:chat(support.ask("x", { stream = true })))
      stream:next()
      assert.same({ "openai", "m", nil }, { stream:info().provider, stream:info().model, stream:info().cost })
      support.drain(stream)
      assert.same({ "openai", "m", 0.25 }, { stream:info().provider, stream:info().model, stream:info().cost })
    end)

    it("has what typed events tell inside", function()
      local events = {
        ["response.created"] = '{"type":"response.created","response":{"model":"m","status":"in_progress"}}',
        ["response.completed"] = '{"type":"response.completed","response":{"model":"m","status":"completed",'
          .. '"output":[],"usage":{"cost":0.25}}}',
      }
      local text = ""
      for _, name in ipairs({ "response.created", "response.completed" }) do
        text = ("%sevent: %s\ndata: %s\n\n"):format(text, name, events[name])
      end
      local client = support.answering(gateway, text, { type = "text/event-stream" })
      local stream = assert(client:responses({ model = "m", input = "x", stream = true }))
      support.drain(stream)
      assert.same({ "m", 0.25 }, { stream:info().model, stream:info().cost })
    end)

    it("has no rate limits where none are told", function()
      assert.is_nil(assert(support.client(gateway):models()):info().rate_limit)
    end)

    it("counts attempts, and is the same for a reply and a stream", function()
      local client = support.faulty(gateway, "flaky;times=2;code=503;retry_after=0.01", { max_retries = 2 })
      local reply = assert(client:chat(support.ask("hi")))
      assert.equal("attempts cost headers model provider request_id status timings", names_of(reply:info()))
      assert.equal(3, reply:info().attempts)
      local stream = assert(client:chat(support.ask("Count to 3", { stream = true })))
      assert.equal("attempts headers request_id status timings", names_of(stream:info()))
      local early = stream:info().timings.bytes
      assert(stream:collect())
      assert.is_true(stream:info().timings.bytes > early)
      assert.equal(stream:info().request_id, stream:info().headers["X-Request-ID"])
    end)
  end)

  describe("by the log", function()
    local function log_of(script, variable)
      local text = support.run(([[
        local llm = require "llm_gateway"
        local client = llm.new{ base_url = %q, api_key = "gw_dev" }
      ]]):format(gateway.url) .. script, variable, "2>&1 >/dev/null")
      local lines = {}
      for line in text:gmatch("[^\n]+") do table.insert(lines, line) end
      return lines
    end

    local SCRIPT = [[
      client:models()
      client:models{ headers = { ["X-Dev-Fault"] = "flaky;times=1;retry_after=0.01;log=1" } }
      client:chat{ messages = { { role = "user", content = "hi" } }, stream = true }:collect()
      client:with{ base_url = "http://127.0.0.1:1", max_retries = 0 }:models()
    ]]

    local times = 0
    local function script()
      times = times + 1 -- a fault is met once by its name
      return (SCRIPT:gsub("log=1", "log=" .. times))
    end

    it("has a line for each attempt: what was asked, which attempt, what came of it, how long it took", function()
      local lines = log_of(script(), "LLM_GATEWAY_LOG=debug")
      local where = gateway.url:gsub("%p", "%%%0")
      for i, pattern in ipairs({
        "GET " .. where .. "/v1/models attempt 1 200 %d+%.%dms", "GET %S+ attempt 1 %[503%] .*ms again in 10%.0ms",
        "GET %S+ attempt 2 200 %d+%.%dms", "POST %S+ attempt 1 200 %d+%.%dms",
        "GET http://127%.0%.0%.1:1/v1/models attempt 1 %[connection%] .*refused.* %d+%.%dms",
      }) do
        assert.matches("^llm_gateway: " .. pattern .. "$", lines[i])
      end
      assert.equal(5, #lines)
    end)

    it("is one line a piece, whatever a server says", function()
      assert(support.client(gateway):request({ path = "/~script/", body = { name = "log", steps = {
        support.answer('{"error":"one\\ntwo\\r\\u001b[2Jthree"}', { status = 400 }),
      } } }))
      local lines = log_of('client:request{ path = "/~script/log", body = {} }', "LLM_GATEWAY_LOG=debug")
      assert.equal(1, #lines)
      assert.matches("%[400%] one two %[2Jthree", lines[1])
    end)

    it("is silent unless it is asked for", function()
      assert.same({}, log_of(script(), "LLM_GATEWAY_LOG="))
      assert.same({}, log_of(script(), ""))
    end)
  end)
end)
