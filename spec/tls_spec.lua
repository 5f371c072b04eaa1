-- TLS with the development gateway; trust_spec.lua has who is trusted and who is not.
local llm = require "llm_gateway"
local support = require "spec.support"

describe("TLS", function()
  local room, gateways = support.tls_room(), {}
  for _, name in ipairs({ "good", "other", "expired", "self" }) do
    gateways[name] = support.gateway(function() return { delay = 0.005, tls = room:of(name) } end)
  end

  local function ask(name, options)
    options.base_url, options.api_key, options.max_retries = gateways[name].url, "gw_dev", 0
    return llm.new(options):health()
  end

  local function refused(name, options, words)
    local reply, err = ask(name, options)
    assert.is_nil(reply)
    assert.equal("connection", err.kind)
    assert.matches(words, err.message)
  end

  it("trusts an authority given as a file", function()
    assert.equal("healthy", assert(ask("good", { ca_file = room.ca })).status)
  end)

  it("trusts no unknown authority, and says so", function()
    refused("good", {}, "unable to get local issuer certificate")
    refused("self", {}, "self.signed certificate")
  end)

  it("refuses a certificate for another host, and says so", function()
    refused("other", { ca_file = room.ca }, "127%.0%.0%.1")
  end)

  it("refuses one that has expired, and says so", function()
    refused("expired", { ca_file = room.ca }, "expired")
  end)

  it("verifies nothing only when told", function()
    assert.equal("healthy", assert(ask("self", { insecure = true })).status)
  end)

  it("streams over TLS, by HTTP/1.1 and by HTTP/2, with the same text", function()
    for _, version in ipairs({ "1.1", "2" }) do
      local client = llm.new({
        base_url = gateways.good.url, api_key = "gw_dev", ca_file = room.ca, http_version = version,
      })
      local request = { messages = { { role = "user", content = "Count to 5" } }, stream = true }
      local reply = assert(llm.assert(client:chat(request)):collect())
      assert.equal("1 2 3 4 5", reply:text())
      client:close()
    end
  end)

  describe("and an answer that ends with the connection", function()
    local text = '{"text":"ok"}'
    local head = "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Type: application/json\r\n%s\r\n"

    -- A client that trusts the gateway, and that gets these bytes and an end.
    local function answered(bytes, ending)
      return support.scripted(gateways.good, { { send = bytes }, ending }, { ca_file = room.ca })
    end

    local function get(bytes, ending)
      return answered(bytes, ending):request({ method = "GET", path = "/" })
    end

    it("is whole when the server says that it was all", function()
      assert.equal("ok", llm.assert(get(head:format(200, "") .. text, { close = true })).text)
    end)

    it("may be cut when the server does not say so", function()
      local reply, err = get(head:format(200, "") .. text, { drop = true })
      assert.is_nil(reply)
      assert.same({ "connection", 1, false }, { err.kind, err.attempts, err.retryable })
      assert.matches("lost before the answer was complete", err.message)
    end)

    it("is whole in any way when its head or its chunks tell the length, or it has no body", function()
      assert.equal("ok", llm.assert(get(head:format(200, "Content-Length: 13\r\n") .. text, { drop = true })).text)
      local chunked = head:format(200, "Transfer-Encoding: chunked\r\n") .. "d\r\n" .. text .. "\r\n0\r\n\r\n"
      assert.equal("ok", llm.assert(get(chunked, { drop = true })).text)
      assert(get(head:format(204, ""), { drop = true }))
      assert(answered(head:format(200, ""), { drop = true }):request({ method = "HEAD", path = "/" }))
    end)

    it("that refuses is a refusal in any way", function()
      local _, err = get(head:format(429, "Retry-After: 7\r\n") .. '{"detail":"slow"}', { drop = true })
      assert.same({ "rate_limit", 429, 7 }, { err.kind, err.status, err.retry_after })
    end)

    it("is a stream that broke off, unless a choice has said that it is finished", function()
      local events = "data: " .. support.delta('"delta":{"content":"a"}') .. "\n\n"
      local over = "data: " .. support.delta('"delta":{},"finish_reason":"stop"') .. "\n\n"
      local start = head:format(200, ""):gsub("application/json", "text/event-stream")
      local function collect(bytes)
        local stream = llm.assert(answered(bytes, { drop = true }):chat(support.ask("x", { stream = true })))
        return stream:collect()
      end
      local reply, err = collect(start .. events)
      assert.is_nil(reply)
      assert.same({ "stream", "a" }, { err.kind, err.partial })
      assert.matches("lost before the answer was complete", err.message)
      assert.equal("a", llm.assert(collect(start .. events .. over)):text())
    end)
  end)

  it("names a file of authorities that is not there", function()
    refused("good", { ca_file = room.folder .. "/nowhere.pem" }, "nowhere")
  end)
end)
