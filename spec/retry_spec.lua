-- Retries: what is tried again, when, and what never is.
local core = require "llm_gateway.core"
local deaf_server = require("spec.deaf").start
local llm = require "llm_gateway"
local support = require "spec.support"

describe("retries", function()
  local gateway = support.gateway()
  local delays, client

  before_each(function()
    delays = {}
    client = llm.new({
      base_url = gateway.url, api_key = "gw_dev",
      on_retry = function(seen) table.insert(delays, seen.delay) end,
    })
  end)

  local count = 0
  local function ask(fault, options)
    count = count + 1
    local request = { messages = { { role = "user", content = "What is 6 times 7?" } } }
    for name, value in pairs(options or {}) do request[name] = value end
    request.headers = { ["X-Dev-Fault"] = fault .. ";id=" .. count } -- counted apart from every other
    return client:chat(request)
  end

  it("try again after a 429, as long as the server said", function()
    local reply = assert(ask("flaky;times=2;code=429;retry_after=0.01"))
    assert.matches("42", reply:text())
    assert.equal(3, reply:info().attempts)
    assert.same({ 0.01, 0.01 }, delays)
  end)

  it("try again after 408, 409 and 5xx, with growing delays and some chance in them", function()
    for _, code in ipairs({ 408, 409, 500, 503 }) do
      delays = {}
      local reply = assert(ask(("flaky;times=1;code=%d"):format(code)))
      assert.equal(2, reply:info().attempts)
      assert.is_true(delays[1] > 0.37 and delays[1] <= 0.5, tostring(delays[1]))
    end
  end)

  it("give the error back when the attempts are used up", function()
    local reply, err = ask("flaky;times=9;code=503;retry_after=0.01", { max_retries = 1 })
    assert.is_nil(reply)
    assert.same({ "server", 503, 2 }, { err.kind, err.status, err.attempts })
  end)

  -- The attempts of a call whose every answer has this status, this error and these header lines; and the error.
  local function attempts_at(status, error_json, headers)
    local body = ('{"error":%s}'):format(error_json)
    local refusing = support.scripted(gateway, { support.answer(body, { status = status, headers = headers }) }, {
      max_retries = 1, on_retry = function(seen) table.insert(delays, seen.delay) end,
    })
    local _, err = refusing:chat(support.ask("hi"))
    return err.attempts, err
  end

  it("never repeat a refusal, whatever its status", function()
    for _, refusal in ipairs({
      { 500, '{"message":"Guardrail \'pii\' blocked"}' }, { 503, '{"code":"insufficient_quota","message":"m"}' },
      { 429, '{"message":"Request too large: Limit 10, Requested 20"}' }, { 429, '{"message":"budget exceeded"}' },
      { 402, '{"message":"Insufficient credits"}', { "Retry-After: 0.01" } },
    }) do
      assert.equal(1, (attempts_at(refusal[1], refusal[2], refusal[3])), refusal[2])
    end
  end)

  it("repeat where a budget is in flight and a wait is named", function()
    local in_flight = '{"code":402,"message":"m","metadata":{"limit_source":"openrouter_in_flight_budget"}}'
    assert.equal(2, (attempts_at(402, in_flight, { "Retry-After: 0.01" })))
    assert.same({ 0.01 }, delays)
    assert.equal(1, (attempts_at(402, in_flight)))
  end)

  it("back off where the wait that is named is 0", function()
    local attempts, err = attempts_at(429, '{"message":"slow down"}', { "Retry-After: 0" })
    assert.same({ 2, 0 }, { attempts, err.retry_after })
    assert.is_true(delays[1] > 0.37 and delays[1] <= 0.5, tostring(delays[1]))
  end)

  it("do not wait for longer than max_retry_delay", function()
    local started = core.now()
    local _, err = ask("flaky;times=9;code=429;retry_after=60")
    assert.same({ 60, 1 }, { err.retry_after, err.attempts })
    assert.is_true(core.now() - started < 0.4)
  end)

  it("back off for no longer than max_retry_delay either", function()
    local _, err = ask("flaky;times=9;code=503", { max_retry_delay = 0.02 })
    assert.equal(3, err.attempts)
    for _, delay in ipairs(delays) do assert.is_true(delay <= 0.02, tostring(delay)) end
  end)

  it("stay within total_timeout", function()
    local started = core.now()
    local _, err = ask("flaky;times=9;code=503;retry_after=0.3", { total_timeout = 0.4, max_retries = 9 })
    assert.is_not_nil(err)
    assert.is_true(core.now() - started < 0.5)
  end)

  it("leave a later attempt no more of total_timeout than there is", function()
    local _, err = ask("never", {
      timeout = 0.3, total_timeout = 0.4, retry_timeouts = true, max_retries = 3, max_retry_delay = 0.01,
    })
    assert.equal(2, err.attempts)
    assert.matches("total_timeout", err.message)
  end)

  it("never repeat what was denied, invalid or not found", function()
    for _, code in ipairs({ 400, 401, 402, 403, 404, 412, 422, 446 }) do
      local _, err = ask(("flaky;times=9;code=%d"):format(code))
      assert.same({ code, 1 }, { err.status, err.attempts })
    end
  end)

  it("never repeat a request that was sent and not answered, unless told", function()
    local _, err = ask("never", { timeout = 0.05 })
    assert.same({ "timeout", 1 }, { err.kind, err.attempts })
    _, err = ask("reset")
    assert.same({ "connection", 1 }, { err.kind, err.attempts })
    _, err = ask("never", { timeout = 0.05, retry_timeouts = true, max_retries = 1 })
    assert.same({ "timeout", 2 }, { err.kind, err.attempts })
  end)

  it("leave out libcurl's own: a request on a kept connection that dies is sent once", function()
    local counter = support.client(gateway, { loop = llm.new_loop() })
    local function requests() return assert(counter:request({ method = "GET", path = "/~stats" })).requests end
    for name, again in pairs({
      chat = function(fresh) return fresh:chat(support.ask("hi")) end,
      health = function(fresh) return fresh:health() end,
      models = function(fresh) return fresh:models() end,
      delete = function(fresh) return fresh:request({ method = "DELETE", path = "/v1/x" }) end,
      post = function(fresh) return fresh:request({ path = "/v1/x" }) end,
    }) do
      local loop = llm.new_loop()
      local fresh = client:with({ loop = loop, max_retries = 0 })
      assert(fresh:chat(support.ask("hi", { headers = { ["X-Dev-Fault"] = "drop-next" } })))
      local before = requests()
      local reply, err = again(fresh)
      assert.is_nil(reply)
      assert.same({ "connection", 1, true }, { err.kind, err.attempts, err.retryable })
      assert.matches("kept connection", err.message)
      assert.is_true(requests() <= before + 1, name)
      loop:close()
    end
  end)

  it("let libcurl pass over a kept connection that the server had closed before", function()
    for _, ending in ipairs({ "close", "reset" }) do
      local loop = llm.new_loop()
      local body = '{"choices":[{"message":{}}]}'
      local steps = { { send = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " .. #body
        .. "\r\n\r\n" .. body }, { delay = 0.02 }, { [ending] = true } }
      local fresh = support.scripted(gateway, steps, { loop = loop })
      for i = 1, 3 do
        assert(fresh:chat(support.ask(("x"):rep(i == 3 and 2 ^ 20 or 1))))
        loop:sleep(0.06)
        os.execute("sleep 0.02")
      end
      loop:close()
    end
  end)

  it("try again where a kept connection was dead and the next could not be made", function()
    local brief = support.start()
    local own = support.client(brief, { loop = llm.new_loop() })
    assert(own:health())
    brief:stop()
    local _, err = own:chat(support.ask("x", { max_retries = 1 }))
    assert.same({ "connection", 2, true }, { err.kind, err.attempts, err.retryable })
  end)

  it("take a refusal for an answer although its body never came", function()
    local function cut(status)
      local step = support.answer("", { status = status, length = false, headers = {
        "retry-after-ms: 1", "x-request-id: cut-1", "Content-Length: 50",
      } })
      return support.scripted(gateway, { step }, { max_retries = 1 }):chat(support.ask("x"))
    end
    local _, err = cut(503)
    assert.same({ "server", 503, 2, true, 0.001, "cut-1" },
      { err.kind, err.status, err.attempts, err.retryable, err.retry_after, err.request_id })
    assert.matches("HTTP 503.*lost", err.message)
    _, err = cut(429)
    assert.same({ "rate_limit", 2 }, { err.kind, err.attempts })
    _, err = cut(200)
    assert.same({ "connection", 1 }, { err.kind, err.attempts })
  end)

  it("end when the client is closed meanwhile, at once", function()
    local own = client:with({ max_retries = 3, on_retry = function() end })
    local request = support.ask("x", { headers = { ["X-Dev-Fault"] = "status;code=503;retry_after=5" } })
    local task = llm.spawn(function() return own:chat(request) end)
    local started = core.now()
    while core.now() - started < 0.1 do llm.step(0.02) end
    own:close()
    local reply, err = task:join()
    assert.is_nil(reply)
    assert.same({ "cancelled", 1 }, { err.kind, err.attempts })
    assert.is_true(core.now() - started < 1)
  end)

  it("end when a hook or the key's function closes the client", function()
    for _, name in ipairs({ "on_request", "on_retry", "api_key" }) do
      local own
      own = client:with({ [name] = function()
        own:close()
        return "gw_dev"
      end })
      local _, err = own:chat(support.ask("x", { headers = { ["X-Dev-Fault"] = "status;code=503;retry_after=5" } }))
      assert.equal("cancelled", err.kind, name)
    end
  end)

  it("try a connection that was never made again", function()
    local _, err = llm.new({
      base_url = "http://127.0.0.1:1", max_retries = 1, on_retry = function(seen) table.insert(delays, seen.delay) end,
    }):models()
    assert.same({ "connection", 2, true }, { err.kind, err.attempts, err.retryable })
    assert.equal(1, #delays)
  end)

  it("go on up to max_retries, of which 0 means none", function()
    local _, err = ask("flaky;times=9;code=503;retry_after=0.001", { max_retries = 4 })
    assert.equal(5, err.attempts)
    _, err = ask("flaky;times=9;code=503;retry_after=0.001", { max_retries = 0 })
    assert.same({ 1, true }, { err.attempts, err.retryable })
  end)

  it("do as x-should-retry says, but never repeat what was denied or has no budget", function()
    local function attempts(status, said, body)
      local scripted = support.answering(gateway, body or '{"detail":"no"}', {
        status = status, headers = { "x-should-retry: " .. said, "retry-after-ms: 1" },
      }, { max_retries = 1 })
      local _, err = scripted:with({ max_retries = 1 }):chat(support.ask("x"))
      assert.equal(err.attempts > 1, err.retryable)
      return err.attempts
    end
    assert.equal(1, attempts(503, "false"))
    assert.equal(1, attempts(429, "false"))
    assert.equal(2, attempts(404, "true"))
    assert.equal(2, attempts(404, "True"))
    assert.equal(2, attempts(503, "perhaps"))
    assert.equal(1, attempts(403, "true", '{"error":{"code":"policy_denied","message":"no"}}'))
    assert.equal(1, attempts(402, "true"))
    assert.equal(1, attempts(429, "true", '{"error":{"code":"insufficient_quota","message":"spent"}}'))
    assert.equal(1, attempts(500, "true", '{"error":{"code":"context_length_exceeded","message":"too long"}}'))
  end)

  it("carry the request id that the user gave, each time", function()
    local seen = {}
    local patient = client:with({ headers = { ["X-Request-ID"] = "mine-7" }, on_retry = function()
      local stats = assert(support.client(gateway):request({ method = "GET", path = "/~stats" }))
      for _, header in ipairs(stats.last.headers) do
        if header.name == "x-request-id" then table.insert(seen, header.value) end
      end
    end })
    patient:chat({ messages = { { role = "user", content = "hi" } }, max_retries = 2,
      headers = { ["X-Dev-Fault"] = "flaky;times=3;code=503;retry_after=0.001;id=carried" } })
    assert.same({ "mine-7", "mine-7" }, seen)
  end)

  it("come before a stream's first event, never after it", function()
    local stream = llm.assert(ask("flaky;times=1;code=503;retry_after=0.001", { stream = true }))
    assert.matches("42", assert(stream:collect()):text())
    assert.equal(2, stream:info().attempts)
    stream = llm.assert(ask("flaky;times=1;fault=cut", { stream = true, retry_timeouts = true }))
    local _, err = stream:collect()
    assert.same({ "stream", 1, false }, { err.kind, err.attempts, err.retryable })
  end)

  it("try a connection again that was not made in time", function()
    local deaf = deaf_server()
    local _, err = llm.new({ base_url = deaf.url, connect_timeout = 0.05, max_retries = 1,
      on_retry = function(seen) table.insert(delays, seen.delay) end }):models()
    assert.same({ "timeout", 2, true }, { err.kind, err.attempts, err.retryable })
    assert.matches("connect_timeout", err.message)
    assert.equal(1, #delays)
    deaf:close()
  end)

  it("leave the program's own random numbers alone", function()
    math.randomseed(42)
    local expected = math.random()
    math.randomseed(42)
    ask("flaky;times=1;code=503")
    assert.equal(expected, math.random())
  end)

  it("never repeat health", function()
    local _, err = client:health({ headers = { ["X-Dev-Fault"] = "status;code=500" } })
    assert.equal(1, err.attempts)
  end)

  it("yield in tasks while they wait", function()
    local ticks = 0
    llm.run(function()
      local ticker = llm.spawn(function()
        while true do
          llm.sleep(0.002)
          ticks = ticks + 1
        end
      end)
      assert(ask("flaky;times=1;code=503;retry_after=0.05"))
      ticker:cancel()
    end)
    assert.is_true(ticks > 5)
  end)

  it("are shown to on_request and on_response", function()
    local seen = {}
    local shown = client:with({
      on_request = function(about) table.insert(seen, about.method .. about.attempt) end,
      on_response = function(about) table.insert(seen, about.status) end,
    })
    assert(shown:chat({
      messages = { { role = "user", content = "hi" } },
      headers = { ["X-Dev-Fault"] = "flaky;times=1;code=503;retry_after=0.01;id=hooks" },
    }))
    assert.same({ "POST1", 503, "POST2", 200 }, seen)
  end)
end)
