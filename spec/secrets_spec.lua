-- Secrets: nothing that the library hands out or prints bears one, whatever a server does with it.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local support = require "spec.support"

-- Every secret that a client can be given, and each form that a server could echo it in.
local KEY, PROVIDER = "gw_very+secret/key_0123456789", "sk-provider-secret-9876543210"
local HEADER, COOKIE, PASSWORD = "header-secret-abcdef", "cookie-secret-ghijkl", "url-pass%2Fword"
local BASIC = "bWU6dXJsLXBhc3Mvd29yZA==" -- me:url-pass/word
local SECRETS = {
  KEY, PROVIDER, HEADER, COOKIE, PASSWORD, "url-pass/word", BASIC,
  "gw_very%2Bsecret%2Fkey_0123456789", "gw_very%2bsecret%2fkey_0123456789", "gw_very+secret\\/key_0123456789",
}

-- Raises when a text anywhere in a value has one of the secrets.
local function search(value, where, seen)
  seen = seen or {}
  if type(value) == "string" then
    for _, secret in ipairs(SECRETS) do
      if value:find(secret, 1, true) then error(("%s has %s: %s"):format(where, secret, value:sub(1, 500)), 0) end
    end
  elseif type(value) == "table" and not seen[value] then
    seen[value] = true
    search(tostring(value), where, seen)
    for name, item in pairs(value) do
      search(name, where, seen)
      search(item, where .. "." .. tostring(name), seen)
    end
  end
end

describe("a secret", function()
  local gateway = support.gateway({ api_key = false })
  local seen

  before_each(function() seen = 0 end)

  local function watch(about)
    seen = seen + 1
    search(about, "a hook")
  end

  local function full_of_secrets(client, options)
    local all = {
      api_key = KEY, provider_key = PROVIDER, max_retries = 1,
      base_url = core.config(client).base_url:gsub("://", "://me:" .. PASSWORD:gsub("%%", "%%%%") .. "@"),
      headers = { ["X-Custom-Token"] = HEADER, Cookie = "a=1; session=" .. COOKIE },
      on_request = watch, on_response = watch, on_retry = watch,
    }
    for name, value in pairs(options or {}) do all[name] = value end
    return client:with(all)
  end

  -- Calls every verb; each error, and whatever it shows, must be clean. Returns how many errors there were.
  local function provoke(client, fields)
    local count = 0
    local function check(reply, err)
      if type(reply) == "table" and reply.collect then reply, err = reply:collect() end
      if reply then return end
      count = count + 1
      search(err, "an error")
      search(tostring(err) .. ("" .. err), "its text")
    end
    search(tostring(client), "the client")
    check(client:chat(support.ask("hi", fields)))
    check(client:chat(support.ask("hi", { stream = true, headers = fields and fields.headers })))
    check(client:embeddings({ input = "hi", headers = fields and fields.headers }))
    check(client:models(fields))
    check(client:health(fields))
    check(client:request({ method = "GET", path = "/v1/x?key=" .. KEY, headers = fields and fields.headers }))
    return count
  end

  it("that is deep in an error's body alone is redacted there", function()
    local body = ('{"error":{"message":"no","details":{"who":["you",["%s"]]}}}'):format(KEY)
    local client = support.answering(gateway, body, { status = 400 }, { api_key = KEY })
    local _, err = client:with({ api_key = KEY }):chat(support.ask("hi"))
    search(err, "an error")
    assert.equal("[redacted]", err.body.error.details.who[2][1])
  end)

  it("that only a header of a broken stream has is redacted there", function()
    local client = support.answering(gateway, "data: " .. support.delta('"delta":{"content":"hi"}') .. "\n\n",
      { type = "text/event-stream", headers = { "X-Key: " .. KEY } })
    local _, err = llm.assert(client:with({ api_key = KEY }):chat(support.ask("hi", { stream = true }))):collect()
    assert.same({ "stream", "[redacted]" }, { err.kind, err.headers["x-key"] })
  end)

  local JSON = ('{"error":{"message":"bad key %s","%s":["%s",{"a":"%s"}],"policy":"%s","code":"%s"}}')
    :format(KEY, PROVIDER, HEADER, COOKIE, PASSWORD, BASIC)
  local BODIES = {
    json = JSON, text = "wrong: " .. table.concat(SECRETS, " "), cut = JSON:sub(1, -8),
    html = "<html><title>" .. KEY .. "</title>" .. BASIC .. "</html>", long = ("x"):rep(70) .. KEY .. PROVIDER,
    escaped = '{"error":"' .. KEY:gsub("/", "\\/") .. '"}', unicode = '{"error":"\\u0067' .. KEY:sub(2) .. '"}',
  }

  for _, status in ipairs({ 200, 307, 400, 401, 403, 429, 500 }) do
    it(("echoed by a server that answers %d is [redacted]"):format(status), function()
      for name, body in pairs(BODIES) do
        local headers = {
          "X-Key: " .. KEY, "Location: http://x/?k=" .. SECRETS[8], "X-Basic: " .. BASIC,
          "Retry-After: 0", "X-Request-Id: " .. PROVIDER, "X-Cookie: " .. COOKIE,
        }
        for _, type in ipairs({ "application/json", "text/event-stream" }) do
          local client = full_of_secrets(support.answering(gateway, body, {
            status = status, headers = headers, type = type,
          }), { max_retry_delay = 0.001 })
          local count = provoke(client)
          assert.is_true(count >= (status == 200 and 1 or 6), name .. " gave " .. count)
        end
      end
      assert.is_true(seen > 50)
    end)
  end

  it("echoed inside a stream is [redacted], in the error, its body and its message", function()
    local first = support.delta('"delta":{"content":"so "}')
    local spoken = support.delta(('"delta":{"content":"your key is %s"}'):format(KEY))
    for _, last in ipairs({
      JSON, JSON:sub(1, -8), "broken " .. KEY, '{"error":"' .. KEY, '{"status_code":403,"detail":"' .. KEY .. '"}',
    }) do
      for _, events in ipairs({ { last }, { first, last }, { first, spoken, last } }) do
        local client = full_of_secrets(support.streaming(gateway, events))
        local reply, err = client:chat(support.ask("hi", { stream = true }))
        search(reply, "a stream")
        if reply then reply, err = reply:collect() end
        assert.is_nil(reply)
        search(err, "an error")
        assert.matches("%[redacted%]", tostring(err) .. (err.partial or "") .. tostring(err.body))
      end
    end
  end)

  it("is in no error of the world's", function()
    local lines = {}
    local faults = "never stall reset garbage cut wrong-type big drop status;code=500 flaky;times=1 slow"
    for fault in faults:gmatch("%S+") do
      local client = full_of_secrets(support.client(gateway), { timeout = 0.05, total_timeout = 1, max_retries = 0 })
      table.insert(lines, fault .. "=" .. provoke(client, { headers = { ["X-Dev-Fault"] = fault } }))
    end
    assert.is_true(#lines == 11 and seen > 60, table.concat(lines, " "))
    local address = gateway.url:match("[^/]+$")
    for _, url in ipairs({
      "http://me:" .. PASSWORD .. "@127.0.0.1:1", "http://me:" .. PASSWORD .. "@name.invalid",
      "https://me:" .. PASSWORD .. "@" .. address, "http://me:" .. PASSWORD .. "@" .. address .. "/~fault/garbage",
    }) do
      local client = full_of_secrets(support.client(gateway), { base_url = url, max_retries = 0 })
      assert.equal(6, provoke(client))
    end
  end)

  it("in base_url is sent as HTTP's Basic, and echoed as [redacted] in that form too", function()
    local address = gateway.url:match("[^/]+$")
    local client = llm.new({ base_url = "http://me:" .. PASSWORD .. "@" .. address })
    local _, fields = support.echoed(assert(client:request({ method = "GET", path = "/~echo" })))
    assert.equal("Basic " .. BASIC, fields.authorization)
  end)

  it("in a header of HTTP's Basic scheme is hidden as what it says, too", function()
    local secrets = require "llm_gateway.secrets"
    local config = { headers = { Authorization = "Basic " .. BASIC }, secrets = {} }
    local list = secrets.of_client(config)
    local shown = secrets.redact("got " .. PASSWORD .. " and " .. BASIC .. " of me", list)
    assert.equal("got [redacted] and [redacted] of me", shown)
    for _, broken in ipairs({ "Basic !!!", "Basic a", "Basic YWJj" }) do
      assert.is_table(secrets.of_client({ headers = { Authorization = broken } }))
    end
  end)

  it("is in no message to those who misuse the library, nor in a task's error", function()
    local function raises(fn)
      local ok, message = pcall(fn)
      assert.is_false(ok)
      search(message, "a message")
    end
    local client = full_of_secrets(support.client(gateway))
    raises(function() llm.new({ api_key = KEY .. "\n" }) end)
    raises(function() llm.new({ apikey = KEY }) end)
    raises(function() llm.new({ api_key = { KEY } }) end)
    raises(function() llm.new({ headers = { Authorization = KEY .. "\n" } }) end)
    raises(function() llm.new({ base_url = "me:" .. PASSWORD .. "@host" }) end)
    raises(function() llm.new({ base_url = "ftp://me:" .. PASSWORD .. "@host" }) end)
    raises(function() llm.new({ proxy = "ftp://me:" .. PASSWORD .. "@host" }) end)
    raises(function() client:with({ timeout = -1 }) end)
    for _, fields in ipairs({ { api_key = KEY .. "\0" }, { headers = { Cookie = COOKIE .. "\n" } } }) do
      local _, err = client:chat(support.ask("hi", fields))
      search(err, "an error")
    end
    local task = llm.spawn(function() return client:chat(5) end)
    search(select(2, task:join()), "a task's error")
    client:close()
    raises(function() client:health() end)
    search(tostring(client), "a closed client")
  end)

  it("that looks like one in a header or a path is hidden as well, and what only sounds like one is not", function()
    local body = '{"error":"jwt-12345678 4111222233334444 pa%2Frameter pa/rameter Jane Doe"}'
    local client = support.answering(gateway, body, { status = 400 })
    local _, err = client:request({ path = "/x?access_token=pa%2Frameter", headers = {
      ["X-JWT"] = "jwt-12345678", ["X-Api-Key-Id"] = 4111222233334444, ["X-Author"] = "Jane Doe",
    } })
    assert.equal("[redacted] [redacted] [redacted] [redacted] Jane Doe", err.message)
  end)

  it("in an address stays there, however it is written", function()
    local seen_url
    local client = support.client(gateway, { on_request = function(about) seen_url = about.url end })
    client:with({ base_url = gateway.url:gsub("://", "://user:pa@ssword-nine@") }):health()
    assert.equal(gateway.url .. "/health", seen_url)
    for _, url in ipairs({ "http://user:pass/word-nine@127.0.0.1:1", "http://user:12/word-nine@127.0.0.1:1" }) do
      local ok, message = pcall(llm.new, { base_url = url })
      assert.is_false(ok)
      assert.is_nil(message:find("word%-nine"))
      ok, message = pcall(llm.new, { proxy = url })
      assert.is_false(ok)
      assert.is_nil(message:find("word%-nine"))
    end
    local moved = support.answering(gateway, "", { status = 307, headers = { "Location: http://me:word-nine@h/" } })
    assert.is_nil(tostring(select(2, moved:health())):find("word%-nine"))
    local echoing = support.answering(gateway, '{"error":"no key sk_live_12345678"}', { status = 401 })
    local lent = echoing:with({ base_url = core.config(echoing).base_url:gsub("://", "://sk_live_12345678:@") })
    assert.equal("no key [redacted]", select(2, lent:health()).message)
  end)

  it("is not cut in two where the text before a broken end is cut", function()
    local key = "gw_a_secret_of_40_bytes_0123456789012345"
    local text = ("x"):rep(2 ^ 20 - 20) .. key .. ("y"):rep(100)
    local broken = support.streaming(gateway, { support.delta(('"delta":{"content":"%s"}'):format(text)) })
    local _, err = llm.assert(broken:chat(support.ask("x", { stream = true, api_key = key }))):collect()
    assert.equal(2 ^ 20, #err.partial)
    assert.matches("x%[redacted%]y+$", err.partial)
  end)

  local function hex(text)
    return (text:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
  end

  local function escaped(form, every)
    local at = 0
    return (KEY:gsub(".", function(letter)
      at = at + 1
      return at % every == 0 and form:format(letter:byte()) or letter
    end))
  end

  local base64 = require("llm_gateway.http.base64").encode

  it("is [redacted] in whatever dress it is echoed", function()
    local forms = {
      KEY:upper(), KEY:lower(), hex(KEY), hex(KEY):upper(), base64(KEY), base64("Bearer " .. KEY),
      base64("user:" .. KEY), base64("x" .. KEY), (base64(KEY):gsub("[+/]", { ["+"] = "-", ["/"] = "_" })),
      escaped("%%%02X", 1), escaped("%%%02x", 3), escaped("\\u%04x", 1), escaped("\\u%04X", 2),
      escaped("\\\\u%04x", 1), escaped("&#%d;", 1), escaped("&#x%x;", 2), (KEY:gsub("/", "\\/")),
      (KEY:gsub("/", "&#47;")),
    }
    for _, form in ipairs(forms) do
      for _, kind in ipairs({ "application/json", "text/plain" }) do
        local client = support.answering(gateway, "bad <" .. form .. "> key", { status = 401, type = kind })
          :with({ api_key = KEY })
        local _, err = client:models()
        local rest = err.message:match("^bad <(.*)> key$")
        assert.truthy(rest, err.message)
        assert.matches("^[%w+/]*%[redacted%]", rest)
        assert.is_true(#rest <= #"[redacted]" + 12, form .. " gave " .. rest)
      end
    end
  end)

  it("is hidden in time that is linear in the text #timed #long", function()
    local secrets = require "llm_gateway.secrets"
    local list = { KEY, PROVIDER, HEADER }
    for _, unit in ipairs({ "%67", "\\", "\\u0067", "&#103;", "&", "gw_very", "%", "a", "\\/", KEY, "&amp;" }) do
      local function seconds(bytes)
        local text = unit:rep(math.floor(bytes / #unit))
        local started = os.clock()
        secrets.redact(text, list)
        return os.clock() - started
      end
      seconds(1e4)
      local short, long = seconds(1e5), seconds(1e6)
      assert.is_true(long < 30 * short + 0.2, ("%q: %.3f s and %.3f s"):format(unit:sub(1, 10), short, long))
    end
  end)

  it("is known by the words of its name", function()
    local is_one = require("llm_gateway.secrets").is_name_of_one
    for _, name in ipairs({
      "Authorization", "X-API-Key", "api-key", "apikey", "X-Api-Key-Id", "x-goog-api-key", "Ocp-Apim-Subscription-Key",
      "cf-aig-authorization", "Helicone-Auth", "x-portkey-api-key", "x-portkey-virtual-key", "Cookie", "X-JWT",
      "X-Session-Id", "access_token", "accessToken", "X-Amz-Security-Token", "client_secret", "X-Signature", "password",
    }) do
      assert.is_true(is_one(name), name)
    end
    for _, name in ipairs({
      "x-portkey-provider", "X-Author", "Idempotency-Key", "api-version", "x-monkey", "X-Keyboard", "User-Agent",
      "x-turkey", "Accept", "X-Passage", "x-tokenizer",
    }) do
      assert.is_false(is_one(name), name)
    end
  end)

  it("is not in what the core hands out of a client", function()
    local client = full_of_secrets(support.client(gateway))
    search(core.config(client), "the core's table")
    assert.is_nil(core.config(client).api_key)
  end)

  it("shorter than 8 bytes is left alone: it would hide ordinary words", function()
    local client = support.answering(gateway, '{"error":"the model is busy"}', { status = 400 })
      :with({ api_key = "model" })
    assert.equal("the model is busy", select(2, client:models()).message)
  end)

  it("is in neither the debug log nor the arguments of the process", function()
    local text = support.run(([[
      local llm = require "llm_gateway"
      local client = llm.new{ base_url = "http://me:%s@%s/~echo", headers = { Cookie = %q }, max_retries = 1 }
      client:request{ method = "GET", path = "/v1/x?key=" .. os.getenv("LLM_GATEWAY_API_KEY") }
      local bad = client:with{ base_url = %q }
      for _, fault in ipairs{ "garbage", "never", "cut", "status;code=500", "flaky;times=1", "reset" } do
        local reply, err = bad:chat{ stream = true, headers = { ["X-Dev-Fault"] = fault }, total_timeout = 0.2,
          messages = { { role = "user", content = "hi" } } }
        if reply then reply, err = reply:collect() end
        print(reply or err)
      end
      print(client, io.open("/proc/self/cmdline"):read("*a"))
    ]]):format(PASSWORD, gateway.url:match("[^/]+$"), "session=" .. COOKIE, gateway.url),
      ("LLM_GATEWAY_LOG=debug LLM_GATEWAY_API_KEY='%s'"):format(KEY))
    search(text, "the log")
    local _, count = text:gsub("llm_gateway: %u+ http://127%.0%.0%.1:%d+/%S* attempt %d ", "")
    assert.is_true(count >= 7, text)
  end)
end)
