-- Where requests and credentials go: to the gateway that base_url names, in the fields they were given for, and
-- nowhere else.
local llm = require "llm_gateway"
local support = require "spec.support"

local KEY = "gw_origin_key_0123456789"

describe("another origin", function()
  local gateway, target = support.gateway({ api_key = false }), support.gateway()

  local function visits()
    return assert(support.client(target):request({ method = "GET", path = "/~stats" })).requests
  end

  for _, status in ipairs({ 301, 302, 303, 307, 308 }) do
    it(("never gets a request, plain or stream, by a redirect of %d"):format(status), function()
      local before = visits()
      local client = support.answering(gateway, "", {
        status = status, headers = { "Location: " .. target.url .. "/v1/chat/completions" },
      }):with({ api_key = KEY, max_retries = 2 })
      for _, call in ipairs({
        function() return client:chat(support.ask("hi")) end,
        function() return client:chat(support.ask("hi", { stream = true })) end,
        function() return client:embeddings({ input = "hi" }) end,
        function() return client:models() end,
        function() return client:health() end,
      }) do
        local reply, err = call()
        assert.is_nil(reply)
        assert.same({ "server", status, 1, false }, { err.kind, err.status, err.attempts, err.retryable })
        assert.matches("redirects to " .. target.url:gsub("%p", "%%%0"), err.message)
        assert.matches("base_url", err.message)
      end
      assert.equal(before, visits())
    end)
  end

  it("is not named by a path", function()
    local client = support.client(gateway)
    for _, path in ipairs({ "//127.0.0.1/x", "/\\127.0.0.1", "@127.0.0.1/", "http://127.0.0.1/", ".evil", "" }) do
      local reply, err = client:request({ method = "GET", path = path })
      assert.is_nil(reply)
      assert.same({ "validation", "path" }, { err.kind, err.field })
    end
  end)

  it("is not reached by another scheme", function()
    for _, url in ipairs({
      "file:///etc/passwd", "ftp://127.0.0.1", "gopher://127.0.0.1", "ws://127.0.0.1", "//127.0.0.1",
    }) do
      assert.has_error(function() llm.new({ base_url = url }) end)
    end
  end)
end)

describe("a header field", function()
  local gateway = support.gateway({ api_key = false })

  -- What each door lets through: nothing that ends a line.
  local BREAKS = { "\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "a\0b" }

  local DOORS = {
    api_key = function(text) return { api_key = text } end,
    provider_key = function(text) return { provider_key = text } end,
    org_id = function(text) return { org_id = text } end,
    app_id = function(text) return { app_id = text } end,
    ["a header's value"] = function(text) return { headers = { ["X-Good"] = text } } end,
    ["a header's name"] = function(text) return { headers = { [text] = "x" } } end,
  }

  local function refused(request, client)
    local reply, err = client:chat(support.ask("hi", request))
    assert.is_nil(reply)
    assert.equal("validation", err.kind)
    assert.is_nil(err.status)
    assert.is_nil(tostring(err):find("[\r\n]"))
  end

  for name, door in pairs(DOORS) do
    it(("has no second line by %s, of a client or of a request"):format(name), function()
      local client = support.client(gateway)
      for _, text in ipairs(BREAKS) do
        refused(door("x" .. text), client)
        assert.has_error(function() client:with(door("x" .. text)) end)
        assert.has_error(function() llm.new(door("x" .. text)) end)
      end
    end)
  end

  local function visits()
    return assert(support.client(gateway):request({ method = "GET", path = "/~stats" })).requests
  end

  it("has no second line by a key's function, a feature, a method, a path, or base_url", function()
    local before = visits()
    for _, text in ipairs(BREAKS) do
      local client = support.client(gateway, { api_key = function() return "x" .. text end })
      refused({}, client)
      client = support.client(gateway)
      refused({ feature = "x" .. text }, client)
      refused({ extra_body = { app_id = "x" .. text } }, client)
      assert.equal("feature", select(2, client:request({ path = "/x", body = { feature = "x" .. text } })).field)
      for _, request in ipairs({ { method = "GET" .. text, path = "/" }, { method = "GET", path = "/x" .. text } }) do
        local reply, err = client:request(request)
        assert.is_nil(reply)
        assert.equal("validation", err.kind)
      end
      assert.has_error(function() client:with({ base_url = gateway.url .. text }) end)
    end
    assert.equal(before, visits())
  end)

  it("does not say how the body is sent: that is the client's own", function()
    for _, name in ipairs({ "Content-Length", "content-length", "Transfer-Encoding" }) do
      for _, value in ipairs({ "3", false }) do
        refused({ headers = { [name] = value } }, support.client(gateway))
      end
    end
  end)

  it("goes out once, whatever its case: the user's own instead of the default", function()
    for _, version in ipairs({ "1.1", "2" }) do
      local client = support.client(gateway, {
        api_key = KEY, http_version = version,
        headers = { ["user-agent"] = "mine", ["AUTHORIZATION"] = "Bearer own", ["x-api-key"] = false },
      }, "/~echo")
      local reply = assert(client:chat(support.ask("hi")))
      local count = {}
      for _, header in ipairs(reply.headers) do count[header.name] = (count[header.name] or 0) + 1 end
      local _, fields = support.echoed(reply)
      assert.same({ "mine", "Bearer own", nil }, { fields["user-agent"], fields["authorization"], fields["x-api-key"] })
      assert.same({ 1, 1, nil }, { count["user-agent"], count["authorization"], count["x-api-key"] })
    end
  end)
end)
