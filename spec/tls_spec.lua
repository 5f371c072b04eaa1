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

  it("names a file of authorities that is not there", function()
    refused("good", { ca_file = room.folder .. "/nowhere.pem" }, "nowhere")
  end)
end)
