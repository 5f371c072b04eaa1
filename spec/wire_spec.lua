-- What servers put on the wire that is unusual: lines behind and inside the head, codings that are none, bursts.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local lockstep_server = require "spec.lockstep_server"
local support = require "spec.support"

local function send(text) return { send = text } end

describe("an answer", function()
  local gateway = support.gateway()

  local function chunked(status, body, trailers, more)
    return ("HTTP/1.1 %d X\r\nConnection: close\r\nContent-Type: application/json\r\n%s"
      .. "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n"):format(status, more or "", #body, body, trailers)
  end

  it("has no headers in its trailers", function()
    local attempts = 0
    local trailers = "X-Should-Retry: true\r\nX-Request-Id: behind\r\n"
    local client = support.scripted(gateway, { send(chunked(400, '{"detail":"no"}', trailers, "Trailer: X-A\r\n")) },
      { max_retries = 2, on_retry = function() attempts = attempts + 1 end })
    local _, err = client:chat(support.ask("x"))
    assert.same({ 400, 1, 0 }, { err.status, err.attempts, attempts })
    assert.is_nil(err.headers["x-should-retry"])
    assert.not_equal("behind", err.request_id)
  end)

  it("is not flooded with trailers", function()
    local line = "X-T: " .. ("t"):rep(1000) .. "\r\n"
    local client = support.scripted(gateway, { send(chunked(200, "{}", line:rep(300))) })
    local reply, err = client:request({ method = "GET", path = "/" })
    assert.is_nil(reply)
    assert.matches("headers are too large", err.message)
  end)

  it("has all values of a header that repeats, in their order", function()
    local headers = { "X-Twice: second", "x-twice:first", "X-Once: \t a, b \t" }
    local client = support.answering(gateway, '{"text":"ok"}', { headers = headers })
    local seen = llm.assert(client:request({ method = "GET", path = "/" })):info().headers
    assert.same({ "first, second", "a, b" }, { seen["X-Twice"], seen["x-once"] })
  end)

  it("keeps its head although a line of it looks like another one's first", function()
    local body = '{"text":"ok"}'
    local client = support.scripted(gateway, { send(("HTTP/1.1 200 OK\r\nX-Before: 1\r\nHTTP/1.1 500: Bad\r\n"
      .. "X-After: 2\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
      :format(#body, body)) })
    local reply = llm.assert(client:request({ method = "GET", path = "/" }))
    assert.same({ 200, "1", "2" },
      { reply:info().status, reply:info().headers["x-before"], reply:info().headers["x-after"] })
  end)

  it("has the headers of its own head alone, not of interim ones", function()
    local body = '{"text":"ok"}'
    local client = support.scripted(gateway, { send(("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\n"
      .. "Connection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)) })
    local headers = llm.assert(client:request({ method = "GET", path = "/" })):info().headers
    assert.is_nil(headers["x-early"])
    assert.equal("application/json", headers["content-type"])
  end)

  -- libcurl 8 looks at the coding before it tells of it: there only who asks for no coding gets such an answer.
  local plain_asked = support.is_curl8 and { ["Accept-Encoding"] = "identity" } or nil

  it("is read as it is when its coding is none that is known", function()
    for _, coding in ipairs({ "UTF-8", "utf-8", "none", "", "identity", "identity, UTF-8", "x" }) do
      local headers = { "Content-Encoding: " .. coding }
      local client = support.answering(gateway, '{"text":"ok"}', { headers = headers }):with({ headers = plain_asked })
      assert.equal("ok", llm.assert(client:request({ method = "GET", path = "/" })).text, coding)
      local events = "data: " .. support.delta('"delta":{"content":"hi"}') .. "\n\ndata: [DONE]\n\n"
      client = support.answering(gateway, events, { headers = headers, type = "text/event-stream" })
        :with({ headers = plain_asked })
      assert.equal("hi", llm.assert(client:chat(support.ask("x", { stream = true }))):collect():text(), coding)
    end
  end)

  it("is left as it is for whoever asks for no coding, and the error of one that cannot be read says so", function()
    local client
    for _, coding in ipairs({ "gzip", "UTF-8" }) do
      client = support.answering(gateway, '{"text":"ok"}', { headers = { "Content-Encoding: " .. coding } })
      local plain = client:with({ headers = { ["accept-encoding"] = "identity" } })
      assert.equal("ok", llm.assert(plain:request({ method = "GET", path = "/" })).text)
    end
    if not support.is_curl8 then return end
    local _, err = client:request({ method = "GET", path = "/" })
    assert.equal("connection", err.kind)
    assert.matches('headers = { %["Accept%-Encoding"%] = "identity" }', err.message)
  end)

  it("that refuses is a refusal although its body cannot be decoded", function()
    local client = support.answering(gateway, "not gzip", { status = 429,
      headers = { "Content-Encoding: gzip", "Retry-After: 7" } })
    local _, err = client:chat(support.ask("x"))
    assert.same({ "rate_limit", 429, 7 }, { err.kind, err.status, err.retry_after })
  end)
end)

describe("a request", function()
  -- The request as it came, one that is larger than what curl itself asks for leave to send (a MiB).
  local function sent(request)
    local server = lockstep_server.serve()
    request.body = request.body or { text = ("x"):rep(2 ^ 21) }
    server:during(function(client) return client:request(request) end, function(connection)
      server:send(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    end)
    server:close()
    return server.requests[1].bytes:match("^(.-\r\n)\r\n")
  end

  it("goes to the path that was given, dots and all", function()
    assert.equal("POST /v1/a/../b/./c HTTP/1.1", sent({ path = "/v1/a/../b/./c" }):match("^[^\r]*"))
  end)

  it("asks nobody whether it may be sent", function()
    assert.is_nil(sent({ path = "/x" }):lower():find("\r\nexpect:", 1, true))
  end)

  it("asks for any coding that can be read, but for none where events are to come", function()
    assert.matches("\r\nAccept%-Encoding: [^\r]*gzip", sent({ path = "/x" }))
    assert.matches("\r\nAccept%-Encoding: identity\r", sent({ path = "/x", stream = true }))
  end)
end)

describe("a stream of events", function()
  local gateway = support.gateway()

  local head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"
  local chunk = "data: " .. support.delta('"delta":{"content":"x"}') .. "\n\n"

  local function ended_after(steps, options)
    local started = core.now()
    local stream = llm.assert(support.scripted(gateway, steps, options):chat(support.ask("x", { stream = true })))
    local chunks, err = support.drain(stream)
    return err, core.now() - started, #chunks
  end

  it("is silent to event_timeout while its events say nothing #timed", function()
    local steps = { send(head .. chunk) }
    for _, nothing in ipairs({ "data:\n\n", "event: ping\ndata:\n\n", ": ping\n\n", "id: 7\ndata\n\n" }) do
      for _ = 1, 5 do
        table.insert(steps, { delay = 0.03 })
        table.insert(steps, send(nothing))
      end
    end
    table.insert(steps, { hold = true })
    local err, seconds = ended_after(steps, { event_timeout = 0.2 })
    assert.matches("event_timeout", err.message)
    assert.is_true(seconds < 0.45, seconds .. " s")
  end)

  -- Chunks that are like the last are read in another way than others.
  local function read_slowly(stream)
    local started, count, value, err = core.now(), 0, stream:next()
    while value and count < 200 do
      local busy_until = os.clock() + 0.005
      repeat until os.clock() >= busy_until
      value, err = stream:next()
      count = count + 1
    end
    assert.matches("total_timeout", err.message)
    assert.is_true(core.now() - started < 0.5)
  end

  it("is ended by total_timeout while what came of it is read #timed", function()
    local client = support.scripted(gateway, { { send = head .. chunk:rep(200) }, { hold = true } },
      { total_timeout = 0.2 })
    read_slowly(llm.assert(client:chat(support.ask("x", { stream = true }))))
    read_slowly(llm.assert(client:request({ path = "/v1/events", stream = true })))
  end)
end)
