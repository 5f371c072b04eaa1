-- Streams that tell the truth, on every transport.
local llm = require "llm_gateway"
local support = require "spec.support"
local tls_room = require "spec.tls_room"

local ask = support.ask

describe("one loop", function()
  local room, gateways

  setup(function()
    room = tls_room.make()
    gateways = { support.start(), support.start({ tls = room:of("good") }) }
  end)

  teardown(function()
    for _, gateway in ipairs(gateways) do gateway:stop() end
    room:remove()
  end)

  it("speaks both versions of HTTP to one gateway, whichever connection it has kept", function()
    for _, gateway in ipairs(gateways) do
      for _, versions in ipairs({ { "1.1", "2", "1.1", "2" }, { "2", "1.1", "2" } }) do
        for _, version in ipairs(versions) do
          local client = support.client(gateway, { http_version = version, ca_file = room.ca })
          assert.equal("1 2 3", assert(client:chat(ask("Count to 3"))):text())
          local stream = assert(client:chat(ask("Count to 3", { stream = true })))
          assert.equal("1 2 3", assert(stream:collect()):text())
        end
      end
    end
  end)

  it("keeps an HTTP/2 connection over TLS", function()
    local client = support.client(gateways[2], { http_version = "2", ca_file = room.ca, loop = llm.new_loop() })
    local function connections() return assert(client:request({ method = "GET", path = "/~stats" })).connections end
    local before = connections()
    for _ = 1, 5 do
      assert.equal(2, assert(client:request({ path = "/~echo", body = {} })).http_version)
    end
    assert.equal(before, connections())
  end)
end)
