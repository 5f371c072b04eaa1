-- Bad input, from users and from servers: an error that names what was wrong, nothing worse.
local llm = require "llm_gateway"
local support = require "spec.support"

local has_integers = math.type ~= nil

describe("bad input", function()
  local client, echo
  local gateway = support.gateway({}, function(gateway)
    client, echo = support.client(gateway), llm.new({ base_url = gateway.url .. "/~echo" })
  end)

  local function hello(more)
    local request = { messages = { { role = "user", content = "hi" } } }
    for name, value in pairs(more or {}) do request[name] = value end
    return request
  end

  local function raises(words, fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.equal("string", type(err))
    assert.matches("bad_input_spec.lua:%d+: ", err)
    assert.matches(words, err)
  end

  local function invalid(field, words, request)
    local reply, err = client:chat(request)
    assert.is_nil(reply)
    assert.same({ "validation", field }, { err.kind, err.field })
    assert.is_nil(err.status)
    assert.matches(words, err.message)
  end

  it("in an option's name raises, naming the nearest", function()
    raises('"tiemout".*"timeout"', function() llm.new({ tiemout = 1 }) end)
    raises('"key".*"api_key"', function() llm.new({ key = "x" }) end)
    raises('"timeou".*"timeout"', function() llm.new({ timeou = 5 }) end)
    raises('"url".*"base_url"', function() llm.new({ url = "x" }) end)
    raises('"apikey".*"api_key"', function() llm.new({ apikey = "x" }) end)
    raises('"zzz"', function() client:with({ zzz = 1 }) end)
  end)

  it("in a call's form raises, saying what was meant", function()
    raises("with a dot", function() llm.new(llm, {}) end)
    raises("is it reply:text", function() llm.text(nil) end)
    raises("array: expected a list, got number", function() llm.array(5) end)
    local loop = llm.loop() -- PUC 5.1 loses the line behind llm.map, a tail call
    raises("options come before", function() loop:map({}, print, { concurrency = 2 }) end)
    raises('"concurency".*concurrency, stop_on_error', function() loop:map({}, { concurency = 2 }, print) end)
    raises("timeout: expected seconds", function() loop:step("0") end)
    raises("budget: expected seconds", function() loop:step(0, {}) end)
    local reply = assert(client:chat(hello()))
    raises("stream = true", function()
      for _ in reply do assert.is_true(false) end
    end)
  end)

  it("in a host's adapter raises, naming what there is", function()
    for name, known in pairs({ luv = "uv, loop, schedule, budget", cqueues = "loop, controller" }) do
      local adapter = require("llm_gateway.loop." .. name)
      raises('"lop".*' .. known, function() adapter.attach({ lop = llm.loop() }) end)
    end
  end)

  it("in an option's value raises, naming the option", function()
    raises("timeout: ", function() llm.new({ timeout = 0 }) end)
    raises("timeout: ", function() llm.new({ timeout = -1 }) end)
    raises("timeout: ", function() llm.new({ timeout = "5" }) end)
    raises("http_version: ", function() llm.new({ http_version = 2 }) end)
    raises("max_retries: ", function() llm.new({ max_retries = 1.5 }) end)
    raises("insecure: ", function() llm.new({ insecure = "yes" }) end)
    raises("loop: ", function() llm.new({ loop = {} }) end)
  end)

  it("in base_url raises, with the likely right one", function()
    raises('"http://localhost:8000"', function() llm.new({ base_url = "localhost:8000" }) end)
    raises('"http://example.com/v1"', function() llm.new({ base_url = "example.com/v1" }) end)
    raises("http", function() llm.new({ base_url = "file:///etc/passwd" }) end)
    raises("host", function() llm.new({ base_url = "http://" }) end)
    raises("one endpoint", function() llm.new({ base_url = "http://h/v1/chat/completions" }) end)
    raises("fragment", function() llm.new({ base_url = "http://h#x" }) end)
    raises("good port$", function() llm.new({ base_url = "http://h:port" }) end)
    raises("good port: .*@", function() llm.new({ base_url = "http://me:hid/den@h" }) end)
    for bad, good in pairs({
      ["http:/host"] = "http://host", ["https:/host/v1"] = "https://host/v1", ["//host"] = "http://host",
      ["http:host"] = "http://host", ["http://http://host"] = "http://host", ["http:///host"] = "http://host",
      ["http://https://host/v1"] = "https://host/v1", ["http:\\\\host"] = "http://host",
      ["http://me:hidden@h/v1/chat/completions?key=hidden"] = "http://h/v1", ["http:/me:hidden@h"] = "http://h",
      [" http://host"] = "http://host", ["https://host/v1 "] = "https://host/v1", [" host "] = "http://host",
    }) do
      local _, message = pcall(llm.new, { base_url = bad })
      assert.truthy(tostring(message):find(("did you mean %q"):format(good), 1, true), bad .. " gave " .. message)
      assert.is_nil(message:find("hidden"))
    end
  end)

  it("in a header, key or id is refused", function()
    for _, bad in ipairs({ "a\r\nX-Evil: 1", "a\nb", "a\0b" }) do
      raises("api_key: ", function() llm.new({ api_key = bad }) end)
      raises("org_id: ", function() llm.new({ org_id = bad }) end)
      raises("headers%[\"X%-A\"%]", function() llm.new({ headers = { ["X-A"] = bad } }) end)
      invalid("app_id", "CR, LF or NUL", hello({ app_id = bad }))
      invalid("org_id", "CR, LF or NUL", hello({ org_id = bad }))
      invalid("api_key", "CR, LF or NUL", hello({ api_key = bad }))
      invalid('headers["X-A"]', "CR, LF or NUL", hello({ headers = { ["X-A"] = bad } }))
    end
    raises("no header name", function() llm.new({ headers = { ["X A"] = "1" } }) end)
  end)

  it("of control characters in a header is refused, but for a tab", function()
    for code = 0, 31 do
      local text = "a" .. string.char(code) .. "b"
      if code ~= 9 then
        raises("headers", function() llm.new({ headers = { ["X-A"] = text } }) end)
        invalid('headers["X-A"]', "may not contain", hello({ headers = { ["X-A"] = text } }))
      end
    end
    raises("code 127", function() llm.new({ api_key = "a\127" }) end)
    assert(client:chat(hello({ headers = { ["X-A"] = "a\tb" } })))
  end)

  it("of no key at all is told where a key was wanted", function()
    local keyless = llm.new({ base_url = gateway.url, max_retries = 0 })
    for _, request in ipairs({ hello(), hello({ stream = true }) }) do
      local _, err = keyless:chat(request)
      assert.equal("authentication", err.kind)
      assert.matches("no api_key was given", err.message)
    end
    for _, more in ipairs({ { api_key = "gw_wrong_key" }, { headers = { Authorization = "Bearer wrong_key_1" } } }) do
      local _, err = keyless:with(more):chat(hello())
      assert.equal("authentication", err.kind)
      assert.not_matches("no api_key", err.message)
    end
  end)

  it("in a request names its field", function()
    invalid("messages", "at least one", {})
    invalid("messages", "at least one", { messages = {} })
    invalid("messages[1].role", 'got "robot"', { messages = { { role = "robot", content = "x" } } })
    invalid("messages[2].content", "text or a list", { messages = {
      { role = "user", content = "x" }, { role = "user", content = 7 } } })
    invalid("temperature", "0 to 2", hello({ temperature = 3 }))
    invalid("temperature", "0 to 2", hello({ temperature = 0 / 0 }))
    invalid("max_tokens", "above 0", hello({ max_tokens = 0 }))
    invalid("stop[2]", "text", hello({ stop = { "a", 7 } }))
    invalid("stream", "true or false", hello({ stream = "yes" }))
    invalid("timeout", "more than 0", hello({ timeout = "5" }))
  end)

  it("of a clock without length raises, in a request too", function()
    raises("timeout: .*more than 0", function() client:chat(hello({ timeout = 0 })) end)
    raises("total_timeout: .*more than 0", function() client:embeddings({ input = "x", total_timeout = -1 }) end)
    raises("timeout: .*more than 0", function() client:models({ timeout = -1 }) end)
    raises("timeout: .*more than 0", function() client:request({ path = "/v1/x", timeout = 0 }) end)
  end)

  it("that JSON cannot hold names its path", function()
    local cycle = {}
    cycle.self = cycle
    invalid("metadata.f", "function", hello({ metadata = { f = print } }))
    invalid("metadata.n", "NaN", hello({ metadata = { n = 0 / 0 } }))
    invalid("metadata.n", "infin", hello({ metadata = { n = math.huge } }))
    invalid("metadata.self", "contains itself", hello({ metadata = cycle }))
    local reply, err = client:chat(hello({ metadata = { 1, nil, 3, n = 3 } }))
    assert.is_nil(reply)
    assert.equal("validation", err.kind)
  end)

  it("of large integers goes out exactly or not at all", function()
    for _, digits in ipairs({ "9007199254740993", "1234567890123456789", "-9007199254740993" }) do
      local n = tonumber(digits)
      local reply, err = echo:chat(hello({ seed = n, metadata = { id = n } }))
      if has_integers then
        assert.truthy(reply.body:find('"seed":' .. digits, 1, true))
        assert.truthy(reply.body:find('"id":' .. digits, 1, true))
      else
        assert.same({ "validation", "seed" }, { err.kind, err.field })
      end
    end
    invalid("seed", "float", hello({ seed = 2 ^ 53 + 2 }))
  end)

  it("that is empty keeps its kind", function()
    local body = assert(echo:chat(hello({ tools = {}, metadata = {}, mine = llm.array(), stop = {} }))).body
    for _, part in ipairs({ '"tools":[]', '"metadata":{}', '"mine":[]', '"stop":[]' }) do
      assert.truthy(body:find(part, 1, true), part .. " in " .. body)
    end
  end)

  it("echoed from a reply goes out as it came", function()
    local message = assert(llm.json.decode(
      '{"role":"assistant","content":null,"annotations":[],"audio":null,"meta":{},"tool_calls":[],"list":[null,1]}'))
    local body = assert(echo:chat({ messages = { { role = "user", content = "x" }, message } })).body
    for _, part in ipairs({ '"annotations":[]', '"meta":{}', '"tool_calls":[]', '"list":[null,1]' }) do
      assert.truthy(body:find(part, 1, true), part .. " in " .. body)
    end
    assert.truthy(assert(echo:chat(hello({ user = llm.null }))).body:find('"user":null', 1, true))
  end)

  it("in a path never leaves the gateway", function()
    for _, path in ipairs({ "@evil.example", "//evil.example", "/\\evil.example", "evil", "", "/a b", "/a\r\nb" }) do
      local reply, err = client:request({ path = path, body = {} })
      assert.is_nil(reply)
      assert.same({ "validation", "path" }, { err.kind, err.field })
    end
    local _, err = client:request({ path = "/x", method = "GET /", body = {} })
    assert.equal("method", err.field)
    assert.equal("body", select(2, client:request({ path = "/x", body = '{"text":1}' })).field)
  end)

  it("from a server: too much is refused, and the limit named", function()
    local _, err = client:chat(hello({ headers = { ["X-Dev-Fault"] = "big" } }))
    assert.equal("server", err.kind)
    assert.matches("max_response_bytes", err.message)
    local stream = hello({ stream = true, headers = { ["X-Dev-Fault"] = "big-event" } })
    _, err = llm.assert(client:chat(stream)):collect()
    assert.equal("stream", err.kind)
    assert.matches("max_event_bytes", err.message)
    stream.headers["X-Dev-Fault"] = "endless-line"
    _, err = llm.assert(client:with({ max_event_bytes = 1e5 }):chat(stream)):collect()
    assert.equal("stream", err.kind)
  end)

  it("from a server: surrogates and bytes that are no text still arrive", function()
    assert.equal("a\239\191\189b", llm.json.decode('"a\\ud800b"'))
    assert.equal("\240\159\152\128", llm.json.decode('"\\ud83d\\ude00"'))
    assert.equal("\\ud800", llm.json.decode('"\\\\ud800"'))
    assert.equal("a\255", llm.json.decode('"a\255"'))
  end)

  it("of an address: a port nobody listens on, a host that does not resolve", function()
    local _, err = llm.new({ base_url = "http://127.0.0.1:1", max_retries = 0 }):chat(hello())
    assert.equal("connection", err.kind)
    assert.matches("refused", err.message)
    assert.is_true(err.retryable)
    _, err = llm.new({ base_url = "http://name.invalid", max_retries = 0 }):chat(hello())
    assert.equal("connection", err.kind)
    assert.matches("name.invalid", err.message)
  end)

  it("of use after close raises", function()
    local closed = llm.new({ base_url = gateway.url })
    closed:close()
    closed:close()
    raises("closed", function() closed:chat(hello()) end)
    raises("closed", function() closed:with({}) end)
    raises("expected a client", function() client.chat(hello()) end)
  end)

  it("in for over a failed chat gives the error table", function()
    local ok, err = pcall(function()
      for _ in llm.assert(client:chat({ messages = {}, stream = true })) do assert.is_true(false) end
    end)
    assert.is_false(ok)
    assert.equal("validation", err.kind)
  end)

  it("in a model's constructor is told; what is right is a checked copy", function()
    local message, err = llm.ChatMessage({ role = "robot" })
    assert.is_nil(message)
    assert.equal("role", err.field)
    local given = { messages = { { role = "user", content = "x" } } }
    local request = assert(llm.ChatCompletionRequest(given))
    assert.same({ "gpt-4", nil }, { request.model, given.model })
    assert.equal("text-embedding-ada-002", assert(llm.EmbeddingRequest({ input = "x" })).model)
    assert.equal("input", select(2, llm.EmbeddingRequest({})).field)
    assert.equal("tool_call_id", select(2, llm.ChatMessage({ role = "tool", tool_call_id = 5 })).field)
  end)
end)
