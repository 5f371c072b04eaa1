-- Proxies: which requests go through one, what it is told, and what is told of it.
local llm = require "llm_gateway"
local support = require "spec.support"

local KEY = "gw_proxied_key_0123456789"

-- user "me" with the password "p@ss:word 1", as a URL has it and as HTTP sends it
local INFO, BASIC = "me:p%40ss%3Aword%201", "bWU6cEBzczp3b3JkIDE="

local Proxy = {}
Proxy.__index = Proxy

local function start(mode, argument)
  local command = "echo $$; exec env -u LUA_PATH -u LUA_CPATH lua5.4 spec/hosts/proxy.lua " .. mode .. " "
  local pipe = assert(io.popen(command .. (argument or ""), "r"))
  local pid, ready = pipe:read("*l"), pipe:read("*l")
  local port = assert(ready and ready:match("^ready (%d+)$"), "no proxy: " .. tostring(ready))
  return setmetatable({ pipe = pipe, pid = pid, host = "127.0.0.1:" .. port, url = "http://127.0.0.1:" .. port }, Proxy)
end

-- What it was asked next: {line, headers}.
function Proxy:asked() return llm.json.decode(self.pipe:read("*l")) end

function Proxy:stop()
  os.execute("kill " .. self.pid)
  self.pipe:close()
end

-- Every text in a value, as one.
local function all_texts(value, seen)
  seen = seen or {}
  if type(value) ~= "table" then return tostring(value) .. "\n" end
  if seen[value] then return "" end
  seen[value] = true
  local texts = { tostring(value) }
  for name, item in pairs(value) do table.insert(texts, all_texts(name, seen) .. all_texts(item, seen)) end
  return table.concat(texts, "\n")
end

local function shows_none(value, ...)
  local texts = all_texts(value)
  for _, secret in ipairs({ ... }) do assert.is_nil(texts:find(secret, 1, true), secret .. " is in: " .. texts) end
end

describe("a proxy", function()
  local room = support.tls_room()
  local plain = support.gateway({ api_key = false })
  local secure = support.gateway(function() return { api_key = false, tls = room:of("good") } end)
  local proxies = {}

  local function proxy(mode, argument)
    local made = start(mode, argument)
    table.insert(proxies, made)
    return made
  end

  after_each(function()
    for _, made in ipairs(proxies) do made:stop() end
    proxies = {}
  end)

  local function client(gateway, options)
    local all = { api_key = KEY, ca_file = room.ca }
    for name, value in pairs(options) do all[name] = value end
    return support.client(gateway, all)
  end

  local function echo(of) return support.echoed(assert(of:request({ path = "/~echo", body = { a = 1 } }))) end

  it("of HTTP is told the whole URL, and hands the request on", function()
    local through = proxy("open")
    local _, fields = echo(client(plain, { proxy = through.url }))
    assert.equal(KEY, fields["x-api-key"])
    assert.equal("POST " .. plain.url .. "/~echo HTTP/1.1", through:asked().line)
  end)

  for _, version in ipairs({ "1.1", "2" }) do
    it("is a tunnel for TLS, over HTTP/" .. version .. ", and sees neither key nor request", function()
      local through = proxy("open")
      local one = client(secure, { proxy = through.url, http_version = version })
      local _, fields = echo(one)
      assert.equal(KEY, fields["x-api-key"])
      local asked = through:asked()
      assert.equal(("CONNECT %s HTTP/1.1"):format(secure.url:match("[^/]+$")), asked.line)
      shows_none(asked, KEY, "~echo")
      assert.is_nil(asked.headers["authorization"] or asked.headers["x-api-key"])
      local stream = assert(one:chat(support.ask("Count to 5", { stream = true })))
      assert.equal("1 2 3 4 5", assert(stream:collect()):text())
      one:close()
    end)
  end

  it("keeps its tunnel for the next call", function()
    local through = proxy("open")
    local one = client(secure, { proxy = through.url })
    for _ = 1, 3 do echo(one) end
    through:asked()
    local other = client(plain, { proxy = through.url }) -- the next line is not a second tunnel's
    echo(other)
    assert.matches("^POST", through:asked().line)
  end)

  it("gets the credentials in its URL, decoded, and nobody else does", function()
    local through = proxy("auth", BASIC)
    for _, gateway in ipairs({ plain, secure }) do
      local url = "http://" .. INFO .. "@" .. through.host
      local _, fields = echo(client(gateway, { proxy = url }))
      assert.is_nil(fields["proxy-authorization"])
      assert.equal("Basic " .. BASIC, through:asked().headers["proxy-authorization"])
      _, fields = echo(client(gateway, { proxy = INFO .. "@" .. through.host })) -- HTTP is meant
      assert.is_nil(fields["proxy-authorization"])
    end
  end)

  it("that wants other credentials is told of once, without those it got", function()
    local through = proxy("auth", "b3RoZXI6b3RoZXI=")
    local seen = {}
    local function watch(about) table.insert(seen, about) end
    for name, gateway in pairs({ plain = plain, secure = secure }) do
      local one = client(gateway, {
        proxy = "http://" .. INFO .. "@" .. through.host, max_retries = 2,
        on_request = watch, on_response = watch, on_retry = function() error("tried again") end,
      })
      local reply, err = one:chat(support.ask("hi"))
      assert.is_nil(reply)
      assert.same({ 1, false }, { err.attempts, err.retryable })
      if name == "secure" then
        assert.equal("connection", err.kind)
        assert.matches("the proxy on the way to.*407.*http://user:password@host:port", err.message)
      else
        assert.equal(407, err.status)
        assert.equal("Basic [redacted]", err.headers["x-given"])
      end
      shows_none({ err, seen, one, tostring(err) }, "p@ss", "p%40ss", BASIC, KEY)
    end
  end)

  it("that refuses is named; its 5xx is tried again, its 4xx is not", function()
    for status, attempts in pairs({ [502] = 2, [503] = 2, [403] = 1, [404] = 1, [429] = 2 }) do
      local through = proxy("refuse", status)
      local reply, err = client(secure, { proxy = through.url, max_retries = 1 }):models()
      assert.is_nil(reply)
      assert.same({ "connection", attempts, attempts == 2 }, { err.kind, err.attempts, err.retryable })
      assert.matches(("the proxy on the way to .*%d.*check the option proxy"):format(status), err.message)
      assert.is_nil(err.status)
    end
  end)

  it("that is not there, or says nothing, is in the message", function()
    local through = proxy("silent")
    local _, err = client(secure, { proxy = through.url, connect_timeout = 0.1 }):models()
    assert.same({ "timeout", true }, { err.kind, err.retryable })
    assert.matches("connect_timeout.*a proxy may be in use: check the option proxy", err.message)
    through:stop()
    proxies = {}
    _, err = client(secure, { proxy = through.url }):models()
    assert.same({ "connection", true }, { err.kind, err.retryable })
    local place = support.is_curl8 and "over proxy 127%.0%.0%.1" or through.host:match("%d+$")
    assert.matches(place .. ".*a proxy may be in use", err.message)
    _, err = client(secure, { proxy = "http://nowhere.invalid:1" }):models()
    assert.matches("nowhere%.invalid.*check the option proxy", err.message)
  end)

  it("of SOCKS 5 is told the host's name with socks5h", function()
    local through = proxy("socks")
    local port = plain.url:match("%d+$")
    local one = client({ url = "http://gateway.test:" .. port }, { proxy = "socks5h://" .. through.host })
    assert.equal("healthy", assert(one:health()).status)
    assert.equal("gateway.test", through:asked().line)
    assert.equal("healthy", assert(client(secure, { proxy = "socks5://" .. through.host }):health()).status)
  end)

  it("is checked before it is used, and never shown", function()
    local function wrong(value, words)
      local ok, message = pcall(llm.new, { proxy = value })
      assert.is_false(ok)
      assert.matches(words, message)
      assert.is_nil(message:find("hidden", 1, true))
    end
    wrong("ftp://me:hidden@127.0.0.1", 'socks5h before ://, got "ftp"')
    wrong("http://", "has no host")
    wrong("http://me:hidden@", "has no host")
    wrong("http://a b:hidden", "blanks")
    wrong(5, "expected text, or false for none, got number")
  end)

  -- What a process with that environment prints: a health's status by each client, or its error.
  local function in_environment(variables, options, url)
    local script = ([[
      local llm = require "llm_gateway"
      local options = %s
      options.base_url, options.ca_file, options.max_retries = %q, %q, 0
      local reply, err = llm.new(options):health()
      print(reply and reply.status or err)
    ]]):format(options or "{}", url, room.ca)
    return support.run(script, "env -u http_proxy -u https_proxy -u no_proxy " .. variables)
  end

  describe("of the environment #apart", function()
    local named, named_tls

    before_each(function()
      named = "http://gateway.test:" .. plain.url:match("%d+$")
      named_tls = "https://gateway.test:" .. secure.url:match("%d+$")
    end)

    it("is used as libcurl says", function()
      local through = proxy("open")
      for _, variable in ipairs({ "http_proxy", "all_proxy", "ALL_PROXY" }) do
        assert.matches("^healthy", in_environment(variable .. "=" .. through.url, nil, named))
        assert.matches("^GET " .. named:gsub("%p", "%%%0"), through:asked().line)
      end
      for _, variable in ipairs({ "https_proxy", "HTTPS_PROXY", "all_proxy" }) do
        local text = in_environment(variable .. "=" .. through.url, nil, named_tls)
        assert.matches("gateway%.test", text) -- the certificate is for another name
        assert.matches("^CONNECT gateway%.test", through:asked().line)
      end
      for _, variables in ipairs({
        "HTTP_PROXY=" .. through.url, ("http_proxy=%s no_proxy=gateway.test"):format(through.url),
        ("http_proxy=%s NO_PROXY=.test"):format(through.url),
      }) do
        assert.matches("could not find the host", in_environment(variables, nil, named))
      end
    end)

    it("is left out for loopback hosts, and by `proxy = false`", function()
      local dead = "http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1"
      assert.matches("^healthy", in_environment(dead, nil, plain.url))
      assert.matches("^healthy", in_environment(dead, nil, secure.url))
      assert.matches("^healthy", in_environment(dead, nil, plain.url:gsub("127%.0%.0%.1", "localhost")))
      assert.matches("could not find the host", in_environment(dead, "{ proxy = false }", named))
    end)

    it("gives way to the option, whatever no_proxy says", function()
      local through = proxy("open")
      local options = ("{ proxy = %q }"):format(through.url)
      assert.matches("^healthy", in_environment("http_proxy=http://127.0.0.1:1 no_proxy='*'", options, named))
    end)

    it("never shows its password", function()
      local dead = "http_proxy=http://" .. INFO .. "@127.0.0.1:1"
      local text = in_environment(dead, nil, named)
      assert.matches("a proxy may be in use: check the option proxy, or the environment", text)
      shows_none({ text }, "p@ss", "p%40ss", BASIC)
      for _, broken in ipairs({ "ftp://me:tiny1@127.0.0.1:1", "http://me:tiny1@[::1", "http://me:tiny1@a b" }) do
        text = in_environment("http_proxy='" .. broken .. "'", nil, named)
        assert.matches("^%[connection%]", text)
        shows_none({ text }, "tiny1")
      end
    end)
  end)
end)
