-- Retries: what is tried again, when, and what never is.
local core = require "llm_gateway.core"
local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"

describe("retries", function()
  local gateway, delays, client

  setup(function() gateway = assert(devgateway.start({ fixtures = "spec/fixtures/errors.json" })) end)
  teardown(function() gateway:stop() end)

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

  it("do not wait for longer than max_retry_delay", function()
    local started = core.now()
    local _, err = ask("flaky;times=9;code=429;retry_after=60")
    assert.same({ 60, 1 }, { err.retry_after, err.attempts })
    assert.is_true(core.now() - started < 0.4)
  end)

  it("stay within total_timeout", function()
    local started = core.now()
    local _, err = ask("flaky;times=9;code=503;retry_after=0.3", { total_timeout = 0.4, max_retries = 9 })
    assert.is_not_nil(err)
    assert.is_true(core.now() - started < 0.5)
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

  it("leave out libcurl's own: a POST on a kept connection that dies is sent once", function()
    local loop = llm.new_loop()
    local fresh = client:with({ loop = loop })
    local counter = llm.new({ base_url = gateway.url, loop = llm.new_loop() })
    local function requests() return counter:request({ method = "GET", path = "/~stats" }).requests end
    local request = { messages = { { role = "user", content = "hi" } }, headers = { ["X-Dev-Fault"] = "drop-next" } }
    assert(fresh:chat(request))
    local before = requests()
    request.headers = nil
    local reply, err = fresh:chat(request)
    assert.is_nil(reply)
    assert.same({ "connection", 1, false }, { err.kind, err.attempts, err.retryable })
    assert.is_true(requests() <= before + 1)
    loop:close()
  end)

  it("try a connection that was never made again", function()
    local _, err = llm.new({
      base_url = "http://127.0.0.1:1", max_retries = 1, on_retry = function(seen) table.insert(delays, seen.delay) end,
    }):models()
    assert.same({ "connection", 2, true }, { err.kind, err.attempts, err.retryable })
    assert.equal(1, #delays)
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

describe("the clocks", function()
  local gateway, client

  setup(function()
    gateway = assert(devgateway.start({ delay = 0.01 }))
    client = llm.new({ base_url = gateway.url, api_key = "gw_dev", max_retries = 0 })
  end)

  teardown(function() gateway:stop() end)

  local function timed(fault, options)
    options.messages = { { role = "user", content = "Count to 12" } }
    options.headers = { ["X-Dev-Fault"] = fault }
    local started = core.now()
    local reply, err = client:chat(options)
    if reply and options.stream then reply, err = reply:collect() end
    assert.is_nil(reply)
    return err, core.now() - started
  end

  local function within(limit, seconds)
    assert.is_true(seconds >= limit - 0.002 and seconds < limit + 0.05, ("%g s for %g s"):format(seconds, limit))
  end

  it("tell silence before the head", function()
    local err, seconds = timed("never", { timeout = 0.1 })
    assert.equal("timeout", err.kind)
    assert.matches("0.1 s %(timeout%)", err.message)
    within(0.1, seconds)
  end)

  it("tell silence inside a stream, with what came", function()
    local err, seconds = timed("stall", { timeout = 0.1, stream = true })
    assert.equal("timeout", err.kind)
    assert.matches("^1", err.partial)
    within(0.1, seconds)
  end)

  it("tell a stream of heartbeats from one of events", function()
    local err, seconds = timed("heartbeat", { event_timeout = 0.15, timeout = 5, stream = true })
    assert.equal("timeout", err.kind)
    assert.matches("event_timeout", err.message)
    within(0.15, seconds)
  end)

  it("bound the whole", function()
    local err, seconds = timed("heartbeat", { total_timeout = 0.15, stream = true })
    assert.equal("timeout", err.kind)
    assert.matches("total_timeout", err.message)
    within(0.15, seconds)
  end)

  it("do not hold up other tasks", function()
    local slowest = 0
    llm.run(function()
      llm.spawn(function() timed("never", { timeout = 0.2 }) end)
      for _ = 1, 20 do
        local started = core.now()
        assert(client:health())
        slowest = math.max(slowest, core.now() - started)
      end
    end)
    assert.is_true(slowest < 0.1)
  end)

  it("leave no limit where the limit is false", function()
    local endless = client:with({ timeout = false, connect_timeout = false, event_timeout = false })
    assert(endless:chat({ messages = { { role = "user", content = "hi" } } }))
  end)
end)
