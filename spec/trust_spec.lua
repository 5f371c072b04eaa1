-- Who is trusted: authorities, certificates of servers and of clients, versions of TLS; and that nothing is tried again
-- that more trying cannot mend.
local llm = require "llm_gateway"
local support = require "spec.support"

describe("trust", function()
  local room, servers = support.tls_room(), {}

  setup(function()
    servers.plain = room:serve("good")
    servers.old = room:serve("good", "-tls1_1 -cipher DEFAULT@SECLEVEL=0")
    servers.twelve = room:serve("good", "-tls1_2")
    servers.strict = room:serve("good", ("-Verify 1 -verify_return_error -CAfile %s"):format(room.ca))
    servers.strict12 = room:serve("good", ("-tls1_2 -Verify 1 -verify_return_error -CAfile %s"):format(room.ca))
    servers.other, servers.expired, servers.self = room:serve("other"), room:serve("expired"), room:serve("self")
  end)

  teardown(function()
    for _, server in pairs(servers) do server:stop() end
  end)

  local function at(name) return room.folder .. "/" .. name end

  local function get(name, options)
    local all = { base_url = servers[name].url, max_retries = 2, on_retry = function() error("tried again") end }
    for option, value in pairs(options) do all[option] = value end
    return llm.new(all):request({ method = "GET", path = "/" })
  end

  local function served(name, options)
    assert.matches("Ciphers supported", llm.assert(get(name, options)))
  end

  local function refused(name, options, words)
    local page, err = get(name, options)
    assert.is_nil(page)
    assert.equal("connection", err.kind)
    assert.matches(words, err.message)
    assert.same({ false, 1 }, { err.retryable, err.attempts })
  end

  it("comes from a file of authorities, or from a directory of them", function()
    served("plain", { ca_file = room.ca })
    served("plain", { ca_path = at("authorities") })
    refused("plain", { ca_path = at(".") }, "local issuer certificate")
  end)

  it("comes from the environment's SSL_CERT_FILE, which an option overrides #apart", function()
    local script = ([[
      local llm = require "llm_gateway"
      local request = { method = "GET", path = "/" }
      local page, err = llm.new{ base_url = %q, max_retries = 0 }:request(request)
      print(page and "served" or err)
      page, err = llm.new{ base_url = %q, max_retries = 0, ca_file = %q }:request(request)
      print(page and "served" or err)
      page, err = llm.new{ base_url = %q, max_retries = 0, ca_path = %q }:request(request)
      print(page and "served" or err)
    ]]):format(servers.plain.url, servers.plain.url, at("self.pem"), servers.plain.url, at("."))
    assert.matches("^served\n.*issuer certificate.*issuer certificate",
      support.run(script, "SSL_CERT_FILE=" .. room.ca))
    assert.matches("^%[connection%].*issuer certificate", support.run(script, "env -u SSL_CERT_FILE"))
  end)

  it("is not given, and the call not repeated, whatever is wrong with the certificate", function()
    refused("plain", {}, "local issuer certificate.*ca_file")
    refused("plain", { retry_timeouts = true }, "local issuer certificate.*ca_file")
    refused("self", {}, "self.signed certificate")
    refused("other", { ca_file = room.ca }, "127%.0%.0%.1")
    refused("expired", { ca_file = room.ca }, "expired")
    refused("plain", { ca_file = at("nowhere.pem") }, "nowhere%.pem")
    refused("plain", { ca_file = at("make.log") }, "make%.log")
  end)

  it("is waived by `insecure = true`, and by nothing less", function()
    for _, name in ipairs({ "plain", "self", "other", "expired" }) do served(name, { insecure = true }) end
    refused("self", { insecure = false }, "self.signed")
    for _, value in ipairs({ 1, "true", "yes" }) do
      assert.has_error(function() llm.new({ insecure = value }) end)
    end
  end)

  it("wants TLS 1.2 at least, also where it is waived", function()
    served("twelve", { ca_file = room.ca })
    local flags = "-tls1_1 -cipher DEFAULT@SECLEVEL=0 -brief </dev/null 2>&1"
    local pipe = io.popen(("openssl s_client -connect %s %s"):format(servers.old.url:match("[^/]+$"), flags))
    assert.matches("TLSv1%.1", pipe:read("*a"), "the old server does not speak to old clients either")
    pipe:close()
    for _, options in ipairs({ { ca_file = room.ca }, { insecure = true } }) do
      options.base_url, options.max_retries = servers.old.url, 0
      local page, err = llm.new(options):request({ method = "GET", path = "/" })
      assert.is_nil(page)
      assert.equal("connection", err.kind)
      assert.matches("version.*TLS 1%.2 or later", err.message)
    end
  end)

  it("is asked of a client by its certificate and key", function()
    for _, name in ipairs({ "strict", "strict12" }) do
      served(name, { ca_file = room.ca, client_cert = at("user.pem"), client_key = at("user.key") })
    end
  end)

  it("lost for want of a client's certificate is told with the options that give one", function()
    refused("strict", { ca_file = room.ca }, "client_cert and client_key name")
    local page, err = llm.new({ base_url = servers.strict12.url, ca_file = room.ca, max_retries = 0 })
      :request({ method = "GET", path = "/" })
    assert.is_nil(page)
    assert.equal("connection", err.kind)
  end)

  it("names a client's certificate or key that is missing, or is no pair", function()
    local function wrong(cert, key, words)
      refused("strict", { ca_file = room.ca, client_cert = at(cert), client_key = at(key) }, words)
    end
    wrong("nowhere.pem", "user.key", "client certificate.*client_cert and client_key right")
    wrong("user.pem", "nowhere.key", "nowhere%.key.*client_cert and client_key right")
    wrong("user.pem", "good.key", "private key.*client_cert and client_key right")
  end)
end)

describe("a handshake that breaks off", function()
  it("is tried again: nobody has read the request", function()
    local gateway, seen = support.start(), {}
    local client = llm.new({
      base_url = gateway.url:gsub("^http:", "https:"), max_retries = 1,
      on_retry = function(about) table.insert(seen, about.error.kind) end,
    })
    local models, err = client:models()
    gateway:stop()
    assert.is_nil(models)
    assert.matches("is base_url right, and does the server speak TLS", err.message)
    assert.same({ 2, true, { "connection" } }, { err.attempts, err.retryable, seen })
  end)
end)
