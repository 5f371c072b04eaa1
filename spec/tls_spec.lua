-- TLS: who is trusted and who is not; origins, protocols, secrets.
local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"
local tls_room = require "spec.tls_room"

describe("TLS", function()
  local gateways, room = {}, nil

  setup(function()
    room = tls_room.make()
    for _, name in ipairs({ "good", "other", "expired", "self" }) do
      gateways[name] = assert(devgateway.start({ delay = 0.005, tls = room:of(name) }))
    end
  end)

  teardown(function()
    for _, gateway in pairs(gateways) do gateway:stop() end
    room:remove()
  end)

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

  it("names a file of authorities that is not there", function()
    refused("good", { ca_file = room.folder .. "/nowhere.pem" }, "nowhere")
  end)
end)

describe("a secret", function()
  local KEY = "gw_very_secret_key_0123456789"
  local gateway

  setup(function() gateway = assert(devgateway.start({ fixtures = "spec/fixtures/errors.json" })) end)
  teardown(function() gateway:stop() end)

  local function search(value, seen)
    if type(value) == "string" then assert.is_nil(value:find(KEY, 1, true), "the key is in: " .. value) end
    if type(value) ~= "table" or seen[value] then return end
    seen[value] = true
    for name, item in pairs(value) do
      search(name, seen)
      search(item, seen)
    end
  end

  it("is in nothing that an error, a hook or tostring hands out, even when the server echoes it", function()
    local client = llm.new({
      base_url = gateway.url, api_key = KEY, max_retries = 0,
      on_request = function(seen) search(seen, {}) end, on_response = function(seen) search(seen, {}) end,
    })
    search(tostring(client), {})
    local request = { messages = { { role = "user", content = "hi" } } }
    local text = '{"error":{"message":"bad key ' .. KEY .. '","' .. KEY .. '":["' .. KEY .. '"]}}'
    local helper = llm.new({ base_url = gateway.url, api_key = "gw_dev" })
    for name, head in pairs({ plain = "401 Unauthorized", ok = "200 OK" }) do
      assert(helper:request({ path = "/~script", body = { name = name, steps = { {
        send = ("HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: application/json\r\nX-Key: %s\r\n"
          .. "Content-Length: %d\r\n\r\n%s"):format(head, KEY, #text, text),
      } } } }))
      for _, stream in ipairs({ false, true }) do
        request.stream = stream
        local _, err = client:with({ base_url = gateway.url .. "/~script/" .. name }):chat(request)
        assert.matches("%[redacted%]", err.message)
        search(err, {})
        search(tostring(err), {})
      end
    end
    for _, fault in ipairs({ "never", "reset", "garbage", "cut", "wrong-type", "status;code=500" }) do
      request.headers, request.timeout = { ["X-Dev-Fault"] = fault }, 0.05
      local _, err = client:chat(request)
      if err then search(err, {}) end
    end
  end)
end)
