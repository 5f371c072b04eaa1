-- Faults at their edges: what a client still can do after one, limits that are named, errors that stay.
local llm = require "llm_gateway"
local support = require "spec.support"

local ask = support.ask

describe("after a fault", function()
  local gateway = support.gateway()

  local function broken(fault, options)
    local stream = llm.assert(support.faulty(gateway, fault, options):chat(ask("Count to 12", { stream = true })))
    local list, err = support.drain(stream)
    assert.is_true(llm.is_error(err))
    assert.equal(err, select(2, stream:next()))
    return err, list, stream
  end

  it("the same client goes on", function()
    local client = support.client(gateway)
    for fault in ("cut cut-plain reset;events=2 garbage drop empty wrong-type close-after"):gmatch("%S+") do
      local stream = client:chat(ask("Count to 12", { stream = true, headers = { ["X-Dev-Fault"] = fault } }))
      if stream then support.drain(stream) end
      assert.matches("42", assert(client:chat(ask("What is 6 times 7?"))):text())
    end
    client:close()
  end)

  it("the limit of an endless line is named, with its size", function()
    local err = broken("endless-line", { max_event_bytes = 1000 })
    assert.equal("stream", err.kind)
    assert.matches("max_event_bytes %(1000 bytes%)", err.message)
  end)

  it("a larger limit lets a large answer and a large event through", function()
    local whole = support.faulty(gateway, "big;size=300000", { max_response_bytes = 300000 })
    assert.is_true(#assert(whole:chat(ask("x"))):text() > 299000)
    local reply, err = support.faulty(gateway, "big;size=300001", { max_response_bytes = 300000 }):chat(ask("x"))
    assert.is_nil(reply)
    assert.same({ "server", false }, { err.kind, err.retryable })
    local events = support.faulty(gateway, "big-event;size=300000", { max_event_bytes = 300000 })
    assert.is_true(#assert(assert(events:chat(ask("x", { stream = true }))):collect()):text() > 299000)
    broken("big-event;size=300100", { max_event_bytes = 300000 })
  end)

  it("collect, texts and close tell the same error as next", function()
    local err, _, stream = broken("cut")
    assert.equal(err, select(2, stream:collect()))
    assert.equal(err, select(2, pcall(stream:texts())))
    stream:close()
    assert.equal(err, select(2, stream:next()))
    assert.equal("stream", err.kind)
  end)

  it("an answer without its whole head is a lost connection, though libcurl takes it for one", function()
    for _, bytes in ipairs({
      "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n{}",
    }) do
      for _, stream in ipairs({ true, false }) do
        local reply, err = support.scripted(gateway, { { send = bytes } }):chat(ask("x", { stream = stream }))
        assert.is_nil(reply, bytes)
        assert.equal("connection", err.kind, bytes)
        assert.matches("lost before the answer was complete", err.message)
      end
    end
  end)

  it("a head ends with its blank line, not with one of a single letter", function()
    local head = "HTTP/1.1 200 OK\n:\nContent-Type: text/event-stream\nX-Request-Id: r-1\n\n"
    local client = support.scripted(gateway, { { send = head .. "data: " .. support.delta('"delta":{"content":"4"}')
      .. "\n\ndata: [DONE]\n\n" } })
    local stream = llm.assert(client:chat(ask("x", { stream = true })))
    assert.equal("4", assert(stream:collect()):text())
    assert.equal("r-1", stream:info().request_id)
    local reply, err = support.scripted(gateway, { { send = "HTTP/1.1 200 OK\r\n:\n" } }):chat(ask("x"))
    assert.is_nil(reply)
    assert.equal("connection", err.kind)
  end)

  -- libcurl 7.88 writes into headers that it freed when a handle that served before meets such an answer; 7.81 and 8
  -- take the line for more of the first one.
  it("a head that goes on with a line that was not there is no HTTP", function()
    local steps = { { send = "HTTP/1.1 200 OK\r\n  folded: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}" } }
    local odd = support.scripted(gateway, steps)
    for _ = 1, 3 do
      assert(support.client(gateway):health())
      local reply, err = odd:health()
      if support.is_curl8 or not support.tells_goaway then
        assert.is_table(reply)
      else
        assert.is_nil(reply)
        assert.equal("connection", err.kind)
        assert.matches("does not speak HTTP as expected %(a line of its head", err.message)
      end
    end
  end)

  it("an answer that begins with a blank line is no HTTP", function()
    for _, blank in ipairs({ "\r\n", "\n", " ", "\r\n\r\n" }) do
      local bytes = blank .. "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
      local reply, err = support.scripted(gateway, { { send = bytes } }):health()
      assert.is_nil(reply)
      assert.matches("does not speak HTTP as expected", err.message)
    end
  end)

  it("a head that is too large is named, in many lines or in one that libcurl has no room for", function()
    local many, one = ("X-Fill: 0123456789012345678901234567890123456789\r\n"):rep(6000), "X: " .. ("x"):rep(150000)
    for _, lines in ipairs({ many, one }) do
      local step = { send = "HTTP/1.1 200 OK\r\n" .. lines .. "\r\n\r\n{}" }
      local reply, err = support.scripted(gateway, { step }, { max_retries = 0 }):chat(ask("x"))
      assert.is_nil(reply)
      assert.equal("server", err.kind)
      assert.matches("headers are too large", err.message)
    end
  end)

  it("an interrupted plain answer is a connection error, never half a reply", function()
    for _, body in ipairs({ '{"id":"x","choices":[]}', '{"id"' }) do
      local head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
      local reply, err = support.scripted(gateway, { { send = head .. body } }):chat(ask("x"))
      assert.is_nil(reply)
      assert.same({ "connection", false }, { err.kind, err.retryable })
    end
  end)

  it("silence inside a plain answer is a timeout", function()
    local reply, err = support.faulty(gateway, "stall-body", { timeout = 0.1 }):chat(ask("x"))
    assert.is_nil(reply)
    assert.equal("timeout", err.kind)
    assert.matches("0.1 s %(timeout%)", err.message)
  end)

  it("a refusal that comes as an event stream is read like any other", function()
    local client = support.answering(gateway, '{"detail":"slow down"}', {
      status = 429, type = "text/event-stream", headers = { "Retry-After: 3" },
    })
    local stream, err = client:chat(ask("x", { stream = true }))
    assert.is_nil(stream)
    assert.same({ "rate_limit", 429, 3, "slow down" }, { err.kind, err.status, err.retry_after, err.message })
  end)

  it("a refusal inside an event is read like any other", function()
    local body = 'event: error\ndata: {"error":{"message":"slow down","code":"x"}}\n\n'
    local _, err = support.answering(gateway, body, { status = 429, type = "text/event-stream" })
      :chat(ask("x", { stream = true }))
    assert.same({ "rate_limit", "slow down" }, { err.kind, err.message })
    assert.equal("x", err.body.error.code)
  end)

  it("a moment to come back at may be in milliseconds, as a clock in JavaScript has it", function()
    local client = support.answering(gateway, "{}", {
      status = 429, headers = { ("Retry-After: %d000"):format(os.time() + 50) },
    })
    local _, err = client:chat(ask("x"))
    assert.is_true(err.retry_after > 40 and err.retry_after <= 50, tostring(err.retry_after))
  end)

  it("a denial for want of a budget is a denial", function()
    local _, err = support.answering(gateway, [[{"error":{"message":"Guardrail 'spend' blocked: budget exceeded"}}]],
      { status = 500 }):chat(ask("x"))
    assert.equal("policy_denied", err.kind)
  end)

  it("a redirect is told and not followed", function()
    local _, err = support.answering(gateway, "", { status = 302, headers = { "Location: http://evil.example/" } })
      :chat(ask("x"))
    assert.same({ "server", 302, false }, { err.kind, err.status, err.retryable })
    assert.matches("evil%.example", err.message)
  end)

  it("an answer to HEAD ends with its head", function()
    local head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\nConnection: close\r\n\r\n"
    local client = support.scripted(gateway, { { send = head }, { hold = true } }, { timeout = 0.5 })
    local body, err = client:request({ method = "HEAD", path = "/x" })
    assert.is_nil(err)
    assert.equal("", body)
  end)
end)

describe("the environment #apart", function()
  local function run(settings, code) return support.run(code, settings) end

  local SHOW = 'print(require("llm_gateway").new{%s})'

  it("gives base_url, which an option overrides", function()
    local settings = "LLM_GATEWAY_BASE_URL=http://one.example:81/v1"
    assert.matches("http://one%.example:81", run(settings, SHOW:format("")))
    assert.matches("http://two%.example", run(settings, SHOW:format('base_url = "http://two.example"')))
    assert.matches("http://localhost:8000", run("LLM_GATEWAY_BASE_URL=", SHOW:format("")))
  end)

  it("is named where it is wrong", function()
    local text = run("LLM_GATEWAY_BASE_URL=one.example", SHOW:format(""))
    assert.matches("LLM_GATEWAY_BASE_URL: has no scheme", text)
    assert.matches("http://one%.example", text)
  end)
end)
