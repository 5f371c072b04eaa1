-- The verbs of a client over a real socket: what goes out, what comes back.
local llm = require "llm_gateway"
local support = require "spec.support"

describe("a client", function()
  local client
  local gateway = support.gateway({ delay = 0.005 }, function(gateway) client = support.client(gateway) end)

  local function hello(more)
    local request = { messages = { { role = "user", content = "What is 6 times 7?" } } }
    for name, value in pairs(more or {}) do request[name] = value end
    return request
  end

  -- What a request of this client looks like to the server: its headers by name, its body decoded and as text.
  local function echo(options, request)
    options.base_url = gateway.url .. "/~echo"
    options.api_key = options.api_key or "gw_secret_key"
    local seen = assert(llm.new(options):chat(request or hello()))
    local headers = {}
    for _, field in ipairs(seen.headers) do headers[field.name:lower()] = field.value end
    return headers, llm.json.decode(seen.body), seen
  end

  it("chats", function()
    local reply = assert(client:chat(hello()))
    assert.matches("42", reply:text())
    assert.equal(reply:text(), llm.text(reply))
    assert.equal("stop", reply.choices[1].finish_reason)
    local info = reply:info()
    assert.same({ 200, 1, "application/json" }, { info.status, info.attempts, info.headers["Content-TYPE"] })
    assert.equal(reply.request_id, info.request_id)
    for _, name in ipairs({ "dns", "connect", "tls", "first_byte", "total", "bytes" }) do
      assert.equal("number", type(info.timings[name]))
    end
    assert.is_true(info.timings.total > 0 and info.timings.bytes > 100)
    assert.equal(tostring(reply.usage.total_tokens), ("%d"):format(reply.usage.total_tokens))
  end)

  it("has nothing but the gateway's fields in a reply", function()
    for name in pairs(assert(client:chat(hello()))) do
      assert.is_true(name ~= "text" and name ~= "info")
    end
  end)

  it("sends the keys, ids and its name", function()
    local headers, body = echo({ app_id = "app", org_id = "org" }, hello({ feature = "f", dry_run = true }))
    assert.equal("gw_secret_key", headers["x-api-key"])
    assert.equal("Bearer gw_secret_key", headers.authorization)
    assert.same({ "app", "org", "org" }, { headers["x-app-id"], headers["x-org-id"], headers["x-organization-id"] })
    assert.same({ "f", "true" }, { headers["x-feature-id"], headers["x-dry-run"] })
    assert.same({ "app", "f", true, "gpt-4" }, { body.app_id, body.feature, body.dry_run, body.model })
    assert.matches("^llm%-gateway%-lua/", headers["user-agent"])
    assert.equal("application/json", headers["content-type"])
  end)

  it("lets a request's own options win, and keeps them out of the body", function()
    local headers, body = echo({ app_id = "app", org_id = "org", headers = { ["X-A"] = "1", ["X-B"] = "1" } }, hello({
      app_id = "mine", org_id = "its", api_key = "other_key_123", timeout = 5, headers = { ["x-a"] = "2" },
      extra_body = { timeout = "for the gateway", custom = 1 },
    }))
    assert.same({ "mine", "its", "2", "1" },
      { headers["x-app-id"], headers["x-org-id"], headers["x-a"], headers["x-b"] })
    assert.equal("other_key_123", headers["x-api-key"])
    assert.same({ "mine", "for the gateway", 1 }, { body.app_id, body.timeout, body.custom })
    for _, name in ipairs({ "org_id", "api_key", "headers", "extra_body" }) do assert.is_nil(body[name]) end
  end)

  it("lets headers win over every default, and takes away what is false", function()
    local headers = echo({ provider_key = "provider_key_1", headers = {
      ["x-api-KEY"] = "mine", ["User-Agent"] = false, ["Accept"] = "text/plain", ["X-Empty"] = "",
    } })
    assert.equal("mine", headers["x-api-key"])
    assert.equal("Bearer provider_key_1", headers.authorization)
    assert.is_nil(headers["user-agent"])
    assert.equal("text/plain", headers.accept)
    assert.equal("", headers["x-empty"])
  end)

  it("sends numbers and blanks in headers as they are meant", function()
    local headers = echo({ headers = { ["X-Number"] = 1234567890123456, ["X-Half"] = 0.5, ["X-Blank"] = "  " } })
    assert.same({ "1234567890123456", "0.5", "" }, { headers["x-number"], headers["x-half"], headers["x-blank"] })
  end)

  it("is as it was made, whatever becomes of the tables it was made of", function()
    local fields = { ["X-A"] = "1" }
    local options = { base_url = gateway.url .. "/~echo", headers = fields }
    local made = llm.new(options)
    fields["X-A"], fields["X-B"], options.base_url = "2", "a\r\nX-Evil: 1", "nowhere"
    local seen = {}
    local reply = assert(made:with({ timeout = 5 }):chat(hello()))
    for _, field in ipairs(reply.headers) do seen[field.name] = field.value end
    assert.same({ "1", nil, nil }, { seen["x-a"], seen["x-b"], seen["x-evil"] })
  end)

  it("says that a body is empty where one is expected", function()
    for method, length in pairs({ POST = "0", PUT = "0", DELETE = false }) do
      local seen = {}
      local request = { method = method, path = "/~echo/v1/x" }
      for _, field in ipairs(assert(client:request(request)).headers) do seen[field.name] = field.value end
      assert.same({ length or nil, nil }, { seen["content-length"], seen["content-type"] }, method)
    end
  end)

  it("asks a function for its key", function()
    local calls = 0
    local function key()
      calls = calls + 1
      return "key_number_" .. calls
    end
    assert.equal("key_number_1", (echo({ api_key = key })["x-api-key"]))
    local _, err = llm.new({ base_url = gateway.url, api_key = function() return 7 end }):chat(hello())
    assert.same({ "validation", "api_key" }, { err.kind, err.field })
    _, err = llm.new({ base_url = gateway.url, api_key = function() return nil, "vault closed" end }):chat(hello())
    assert.matches("vault closed", err.message)
    _, err = llm.new({ base_url = gateway.url, api_key = function() return "" end }):chat(hello())
    assert.same({ "validation", "api_key" }, { err.kind, err.field })
  end)

  it("finds the endpoints below any base_url", function()
    for _, tail in ipairs({ "", "/", "/v1", "/v1/", "//" }) do
      local other = llm.new({ base_url = gateway.url .. tail, api_key = "gw_dev" })
      assert.equal("healthy", assert(other:health()).status)
      assert.is_true(#assert(other:models()) > 5)
    end
    local _, _, seen = echo({})
    assert.matches("/v1/chat/completions$", seen.path)
  end)

  it("embeds, as numbers even when base64 was asked for", function()
    local plain = assert(client:embeddings({ input = "a cat", dimensions = 8 })).data[1].embedding
    local packed = assert(client:embeddings({ input = "a cat", dimensions = 8, encoding_format = "base64" }))
    assert.equal(8, #plain)
    for i = 1, 8 do assert.is_true(math.abs(plain[i] - packed.data[1].embedding[i]) < 1e-6) end
  end)

  it("lists models and tells health, of a 503 too", function()
    local models = assert(client:models())
    assert.equal("gpt-4", models[1].id)
    assert.equal(200, models:info().status)
    local health = assert(client:health({ headers = { ["X-Dev-Fault"] = "unhealthy" } }))
    assert.same({ "unhealthy", 503 }, { health.status, health:info().status })
  end)

  it("takes no other body for a list of models, and keeps an empty list one", function()
    local kinds = {}
    for i, body in ipairs({ '{"data":"x"}', '{"foo":1}', '{"data":[]}' }) do
      assert(client:request({ path = "/~script", body = { name = "models" .. i, steps = { { send =
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s")
          :format(#body, body) } } } }))
      local list, err = client:with({ base_url = gateway.url .. "/~script/models" .. i }):models()
      kinds[i] = err and err.kind or llm.json.encode(list)
    end
    assert.same({ "server", "server", "[]" }, kinds)
  end)

  it("sends any other request", function()
    assert.equal("gpt-4", assert(client:request({ method = "GET", path = "/v1/models/gpt-4" })).id)
    local seen = assert(client:request({ method = "PUT", path = "/~echo/v1/rerank?top=1", body = { query = "q" } }))
    assert.same({ "PUT", '{"query":"q"}' }, { seen.method, seen.body })
    assert.matches("/v1/rerank%?top=1$", seen.path)
    local names = {}
    for chunk, name in llm.assert(client:request({
      path = "/v1/chat/completions", stream = true,
      body = { messages = hello().messages, model = "gpt-4", stream = true },
    })) do table.insert(names, name or (chunk.choices and "chunk")) end
    assert.is_true(#names > 2)
  end)

  it("wins with its later headers, whatever their case", function()
    local old = { ["X-Team"] = "old", Authorization = "old" }
    local first = llm.new({ base_url = gateway.url .. "/~echo", headers = old })
    local headers = {}
    local second = first:with({ headers = { ["x-team"] = "new", authorization = false } })
    for _, field in ipairs(assert(second:chat(hello())).headers) do headers[field.name] = field.value end
    assert.same({ "new", nil }, { headers["x-team"], headers.authorization })
  end)

  it("tells the info of a list without items too", function()
    local empty = support.answering(gateway, '{"data":[]}')
    local models = assert(empty:models())
    assert.same({ 0, 200 }, { #models, models:info().status })
    assert.equal("[]", llm.json.encode(models))
    assert.equal(200, assert(empty:request({ path = "/x" })):info().status)
    local reply, err = support.answering(gateway, "[]"):chat(hello())
    assert.is_nil(reply)
    assert.equal("server", err.kind)
  end)

  it("takes no field that it would drop", function()
    assert.equal("timeot", select(2, client:models({ timeot = 5 })).field)
    assert.equal("extra_body", select(2, client:health({ extra_body = {} })).field)
    assert.equal("extra_body", select(2, client:request({ path = "/v1/x", extra_body = {} })).field)
  end)

  it("is the same with other options", function()
    local other = client:with({ headers = { ["X-Dev-Fault"] = "status;code=500" } })
    local _, err = other:health()
    assert.equal(500, err.status)
    other:close()
    assert.equal("healthy", client:health().status)
    assert.has_error(function() client:with({ tiemout = 1 }) end)
  end)

  it("hands over a dry run as it is, streamed too", function()
    local reply = assert(client:chat(hello({ dry_run = true })))
    assert.is_true(reply.would_be_allowed)
    local count = 0
    for chunk in llm.assert(client:chat(hello({ dry_run = true, stream = true }))) do
      count = count + 1
      assert.is_true(chunk.dry_run)
      assert.is_nil(chunk.choices)
    end
    assert.equal(1, count)
  end)

  it("never sends a dry run with a stream", function()
    local fields = { dry_run = true, stream = true, stream_options = { include_usage = true } }
    local at_echo = llm.new({ base_url = gateway.url .. "/~echo" })
    local seen = assert(at_echo:chat(hello(fields)))
    local sent = assert(seen:next())
    local body = llm.json.decode(sent.body)
    assert.same({ true, nil, nil }, { body.dry_run, body.stream, body.stream_options })
    assert.is_nil(seen:next())
    assert.is_true(fields.stream)
    seen = assert(at_echo:request({ path = "/v1/chat/completions", stream = true, body = hello(fields) }))
    body = llm.json.decode(assert(seen:next()).body)
    assert.same({ true, nil }, { body.dry_run, body.stream })
    seen = assert(at_echo:chat(hello({ stream = true, extra_body = { dry_run = true } })))
    assert.is_nil(llm.json.decode(assert(seen:next()).body).stream)
  end)

  it("sends arguments of tool calls as text, and leaves the caller's tables as they are", function()
    local call = { id = "a", type = "function", ["function"] = { name = "f", arguments = { city = "Rome" } } }
    local empty = { id = "b", type = "function", ["function"] = { name = "f", arguments = {} } }
    local text = { id = "c", type = "function", ["function"] = { name = "f", arguments = '{"x":1}' } }
    local messages = {
      { role = "user", content = "x" }, { role = "assistant", tool_calls = { call, empty, text } },
      { role = "assistant", function_call = { name = "f", arguments = { 1 } } },
    }
    local _, body = echo({}, { messages = messages })
    local sent = {}
    for i, one in ipairs(body.messages[2].tool_calls) do sent[i] = one["function"].arguments end
    assert.same({ '{"city":"Rome"}', "{}", '{"x":1}' }, sent)
    assert.equal("[1]", body.messages[3].function_call.arguments)
    assert.equal("Rome", call["function"].arguments.city)
    assert.equal(call, messages[2].tool_calls[1])
  end)

  it("calls tools, and hands back what they gave", function()
    local tools = { { type = "function", ["function"] = { name = "get_weather",
      parameters = { type = "object", properties = { city = { type = "string" } }, required = { "city" } } } } }
    local messages = { { role = "user", content = "What is the weather in Paris?" } }
    local plain = assert(client:chat({ messages = messages, tools = tools })).choices[1]
    local streamed = assert(llm.assert(client:chat({ messages = messages, tools = tools, stream = true })):collect())
    for _, choice in ipairs({ plain, streamed.choices[1] }) do
      local call = choice.message.tool_calls[1]
      assert.same({ "tool_calls", "get_weather", "Paris", "function" },
        { choice.finish_reason, call["function"].name, llm.json.decode(call["function"].arguments).city, call.type })
      assert.is_nil(call.index)
    end
    table.insert(messages, plain.message)
    table.insert(messages, { role = "tool", tool_call_id = plain.message.tool_calls[1].id, content = '{"degrees":21}' })
    assert.matches("21", assert(client:chat({ messages = messages, tools = tools })):text())
  end)
end)
