-- What may be sent: the models' checks, each naming the path of the field, without a gateway.
local llm = require "llm_gateway"
local support = require "spec.support"

local ask = support.ask

-- Nobody answers at this address: whatever passes its checks fails otherwise.
local client = llm.new({ base_url = "http://127.0.0.1:1", max_retries = 0 })

local function fault_of(verb, request)
  local reply, err = client[verb](client, request)
  assert.is_nil(reply)
  assert.is_true(llm.is_error(err))
  return err
end

local function refuses(verb, field, request)
  local err = fault_of(verb, request)
  assert.equal("validation", err.kind, err.message)
  assert.equal(field, err.field, err.message)
  assert.is_nil(err.status)
  assert.is_false(err.retryable)
  if field then assert.equal(field .. ": ", err.message:sub(1, #field + 2)) end
  return err.message
end

local function accepts(verb, request)
  local err = fault_of(verb, request)
  assert.equal("connection", err.kind, err.message)
end

describe("a chat request", function()
  it("needs messages", function()
    assert.matches("at least one", refuses("chat", "messages", {}))
    assert.matches("at least one", refuses("chat", "messages", { messages = {} }))
    refuses("chat", "messages", { messages = llm.null })
    refuses("chat", "messages", { messages = "Hello!" })
    assert.matches("list", refuses("chat", "messages", { messages = { role = "user", content = "Hello!" } }))
    refuses("chat", "messages[1]", { messages = { "Hello!" } })
  end)

  it("is what its tables have, not what their metatables add, for that would not be sent", function()
    local message = setmetatable({ content = "Hello!" }, { __index = { role = "user" } })
    refuses("chat", "messages[1].role", { messages = { message } })
    refuses("chat", "messages", setmetatable({}, { __index = ask("Hello!") }))
    message = setmetatable({ role = "user", content = "Hello!" }, { __index = { role = "x" } })
    accepts("chat", { messages = { message } })
  end)

  it("needs a known role in each message", function()
    local user = { role = "user", content = "x" }
    assert.matches("is missing", refuses("chat", "messages[1].role", { messages = { { content = "x" } } }))
    local message = refuses("chat", "messages[2].role", { messages = { user, { role = "robot", content = "x" } } })
    assert.matches("one of system, developer, user, assistant, function, tool, got \"robot\"", message)
    refuses("chat", "messages[1].role", { messages = { { role = 1 } } })
    for _, role in ipairs({ "system", "developer", "user", "assistant", "function", "tool" }) do
      accepts("chat", { messages = { { role = role, content = "x" } } })
    end
    accepts("chat", { messages = { user, { role = "tool", content = "x", tool_call_id = "call_1" } } })
  end)

  it("takes content as text, as a list of parts, or not at all", function()
    local function with(content) return { messages = { { role = "user", content = content } } } end
    accepts("chat", with(""))
    accepts("chat", with(nil))
    accepts("chat", with(llm.null))
    accepts("chat", with({ { type = "text", text = "x" }, { type = "image_url", image_url = { url = "x" } } }))
    refuses("chat", "messages[1].content", with(5))
    refuses("chat", "messages[1].content", with(true))
    refuses("chat", "messages[1].content[1].type", with({ { text = "x" } }))
    refuses("chat", "messages[1].content[2]", with({ { type = "text" }, "x" }))
  end)

  it("keeps numbers within their bounds", function()
    local bounds = {
      temperature = { { 0, 2, 0.7 }, { 3, -0.1, 0 / 0, "1", math.huge, true } },
      top_p = { { 0, 1 }, { 1.1, -1 } },
      frequency_penalty = { { -2, 2 }, { 2.1, -2.1 } },
      presence_penalty = { { -2, 2 }, { 2.1, -2.1 } },
      max_tokens = { { 1, 4096 }, { 0, -1, 1.5, 0 / 0, math.huge, "10" } },
      n = { { 1 }, { 0 } },
      seed = { { 0, -5, 42 }, { 1.5, "1", 2 ^ 53, 2 ^ 53 + 1, -2 ^ 53, 0 / 0, math.huge } },
    }
    for name, values in pairs(bounds) do
      for _, good in ipairs(values[1]) do accepts("chat", ask("x", { [name] = good })) end
      for _, bad in ipairs(values[2]) do refuses("chat", name, ask("x", { [name] = bad })) end
    end
  end)

  it("checks the types of the other fields", function()
    for name, bad in pairs({
      model = 5, stream = "yes", stop = 5, tools = "x", tool_choice = 1, response_format = "json", user = 1,
      app_id = 7, feature = {}, dry_run = "true",
    }) do
      refuses("chat", name, ask("x", { [name] = bad }))
    end
    refuses("chat", "model", ask("x", { model = "" }))
    refuses("chat", "stop[2]", ask("x", { stop = { "a", 5 } }))
    refuses("chat", "tools[1]", ask("x", { tools = { "get_weather" } }))
    accepts("chat", ask("x", { stop = { "a", "b" }, tools = {}, tool_choice = "auto", user = "u", anything = { 1 } }))
    accepts("chat", ask("x", { temperature = llm.null, stop = llm.null }))
  end)

  it("takes no table with keys for a list", function()
    local keyed = { role = "user", content = { sky = "clear" } }
    local told = refuses("chat", "messages[1].content", { messages = { keyed } })
    assert.matches('a list, got a table with the key "sky"', told)
    refuses("chat", "tools", ask("x", { tools = { type = "function" } }))
    refuses("chat", "stop", ask("x", { stop = { first = "a" } }))
    local calling = { role = "assistant", tool_calls = { id = "call_1" } }
    refuses("chat", "messages[1].tool_calls", { messages = { calling } })
    refuses("embeddings", "input", { input = { text = "a" } })
  end)

  it("is a table", function()
    refuses("chat", nil, nil)
    refuses("chat", nil, "Hello!")
    refuses("embeddings", nil, 5)
  end)

  it("may not have what JSON cannot say, wherever it stands", function()
    refuses("chat", "metadata.run", ask("x", { metadata = { run = print } }))
    refuses("chat", "logit_bias.x", ask("x", { logit_bias = { x = 0 / 0 } }))
    local cycle = {}
    cycle.self = { cycle }
    assert.matches("contains itself", refuses("chat", "metadata.self[1]", ask("x", { metadata = cycle })))
    refuses("chat", "metadata", ask("x", { metadata = { 1, nil, 3 } }))
  end)
end)

describe("a field of a request", function()
  it("that is one slip off a known one is refused, naming that one and extra_body", function()
    for name, meant in pairs({
      temprature = "temperature", tempreature = "temperature", max_token = "max_tokens", mesages = "messages",
      frequency_penality = "frequency_penalty", streem = "stream", max_retrys = nil, tool_choise = "tool_choice",
      response_formats = "response_format", time_out = "timeout", heders = "headers", Temperature = "temperature",
    }) do
      local told = refuses("chat", name, ask("x", { [name] = 1 }))
      assert.truthy(told:find(('did you mean "%s"?'):format(meant), 1, true), told)
      assert.matches("extra_body", told)
      accepts("chat", ask("x", { extra_body = { [name] = 1 } }))
    end
    for name in ("max_completion_token reasoning_efort parallel_tool_call stream_option logit_bais"):gmatch("%S+") do
      refuses("chat", name, ask("x", { [name] = 1 }))
    end
    for name in ("temprature max_output_token previous_respons_id instuctions"):gmatch("%S+") do
      refuses("responses", name, { input = "x", [name] = 1 })
    end
    for name in ("temprature max_token stop_sequence thinkin"):gmatch("%S+") do
      refuses("messages", name, ask("x", { [name] = 1 }))
    end
    refuses("embeddings", "dimensons", { input = "x", dimensons = 8 })
    refuses("embeddings", "encoding_formt", { input = "x", encoding_formt = "float" })
  end)

  it("that a provider has, or that is far from every known one, goes out as given", function()
    local real = "top_k min_p top_a repetition_penalty max_completion_tokens max_output_tokens stop_sequences "
      .. "reasoning_effort thinking enable_thinking provider providers models route transforms plugins "
      .. "guided_json chat_template_kwargs safe_prompt random_seed search_parameters web_search_options metadata "
      .. "logit_bias logprobs top_logprobs functions function_call parallel_tool_calls service_tier store "
      .. "stream_options prediction modalities audio verbosity input_type truncate format options keep_alive "
      .. "fallbacks num_retries guardrails mock_response cache tags dimension message feat tool stops users "
      .. "prompts anything_else x"
    for name in real:gmatch("%S+") do
      accepts("chat", ask("x", { [name] = 1 }))
      accepts("embeddings", { input = "x", [name] = 1 })
    end
  end)

  it("may be an embedding of anything: texts and images by name", function()
    accepts("embeddings", { input = { { text = "a" }, { image = "http://x" }, "b" } })
    accepts("embeddings", { input = { { content = { { type = "text", text = "a" } } } } })
  end)

  it("of text has to be UTF-8", function()
    local told = refuses("chat", "messages[1].content", { messages = { { role = "user", content = "caf\233 x" } } })
    assert.matches("4", told)
    refuses("chat", "metadata.name", ask("x", { metadata = { name = "\255" } }))
    refuses("embeddings", "input[2]", { input = { "a", "\192\128" } })
    local called = { name = "f", arguments = { x = "\255" } }
    local calling = { role = "assistant", tool_calls = { { ["function"] = called } } }
    refuses("chat", "messages[1].tool_calls[1].function.arguments.x", { messages = { calling } })
  end)

  it("may be Neovim's null", function()
    local null = io.stdout -- any full userdata
    rawset(_G, "vim", { NIL = null })
    local message = assert(llm.ChatMessage({ role = "assistant", content = null, name = null }))
    rawset(_G, "vim", nil)
    assert.equal(null, message.content)
  end)
end)

describe("the options of one call", function()
  it("are checked, each by its name", function()
    for name, values in pairs({
      timeout = { "5", true }, total_timeout = { "x" }, max_retries = { 1.5, "2", 0 / 0 }, retry_timeouts = { 1 },
      api_key = { 5, "", "a\r\nb", "a\0b" }, provider_key = { true, "a\nb" }, org_id = { 5, "a\r\nX-Evil: 1" },
      app_id = { "a\nb", "" }, feature = { "a\0b" }, headers = { "x" }, extra_body = { "x" },
    }) do
      for _, bad in ipairs(values) do refuses("chat", name, ask("x", { [name] = bad })) end
    end
    accepts("chat", ask("x", { timeout = false, event_timeout = false, total_timeout = 5, max_retries = 0 }))
  end)

  it("are not those of a client: they would be sent, a proxy's password too", function()
    for name, value in pairs({
      proxy = "http://user:password@127.0.0.1:3128", insecure = true, base_url = "http://127.0.0.1:2", ca_file = "x",
      client_key = "x", http_version = "2", on_retry = print, max_response_bytes = 5, loop = llm.loop(),
    }) do
      assert.matches("client:with", refuses("chat", name, ask("x", { [name] = value })))
      refuses("embeddings", name, { input = "x", [name] = value })
      refuses("models", name, { [name] = value })
    end
    accepts("chat", ask("x", { app_id = "mine", extra_body = { proxy = "a field of the gateway's" } }))
  end)

  it("raise for a clock without length, and for fewer retries than none", function()
    for name, bad in pairs({
      timeout = 0, connect_timeout = -1, event_timeout = 0 / 0, total_timeout = 0, max_retry_delay = -1,
      max_retries = -1,
    }) do
      assert.has_error(function() client:chat(ask("x", { [name] = bad })) end)
    end
  end)

  it("name the header field that is wrong", function()
    refuses("chat", 'headers["X-Evil"]', ask("x", { headers = { ["X-Evil"] = "a\r\nX-Admin: 1" } }))
    refuses("chat", 'headers["X-Evil"]', ask("x", { headers = { ["X-Evil"] = "a\0" } }))
    refuses("chat", 'headers["X-Evil"]', ask("x", { headers = { ["X-Evil"] = {} } }))
    refuses("chat", 'headers["X-Evil"]', ask("x", { headers = { ["X-Evil"] = true } }))
    refuses("chat", 'headers["X Evil: 1"]', ask("x", { headers = { ["X Evil: 1"] = "a" } }))
    refuses("chat", 'headers["X??Evil"]', ask("x", { headers = { ["X\r\nEvil"] = "a" } }))
    refuses("chat", 'headers[""]', ask("x", { headers = { [""] = "a" } }))
    refuses("chat", 'headers["1"]', ask("x", { headers = { "X-A: 1" } }))
  end)
end)

describe("an embeddings request", function()
  it("needs an input: text, texts, tokens or lists of tokens", function()
    refuses("embeddings", "input", {})
    refuses("embeddings", "input", { input = {} })
    refuses("embeddings", "input", { input = 5 })
    refuses("embeddings", "input[2]", { input = { "a", true } })
    refuses("embeddings", "input[1]", { input = { 1.5 } })
    refuses("embeddings", "input[2][2]", { input = { { 1 }, { 1, "x" } } })
    for _, good in ipairs({ "a", { "a", "b" }, { 1, 2, 3 }, { { 1, 2 }, { 3 } } }) do
      accepts("embeddings", { input = good })
    end
  end)

  it("knows its formats and dimensions", function()
    refuses("embeddings", "encoding_format", { input = "a", encoding_format = "int8" })
    refuses("embeddings", "dimensions", { input = "a", dimensions = 0 })
    refuses("embeddings", "dimensions", { input = "a", dimensions = 1.5 })
    accepts("embeddings", { input = "a", encoding_format = "base64", dimensions = 8 })
  end)
end)

describe("the constructors", function()
  it("build a checked copy with the defaults", function()
    local given = { messages = { { role = "user", content = "x" } } }
    local request = assert(llm.ChatCompletionRequest(given))
    assert.equal("gpt-4", request.model)
    assert.is_nil(given.model)
    assert.equal("text-embedding-ada-002", llm.EmbeddingRequest({ input = "x" }).model)
    assert.same({ role = "user", content = "x" }, llm.ChatMessage({ role = "user", content = "x" }))
  end)

  it("return an error that names the field", function()
    local message, err = llm.ChatMessage({ role = "robot" })
    assert.is_nil(message)
    assert.same({ "validation", "role" }, { err.kind, err.field })
    assert.equal("temperature", select(2, llm.ChatCompletionRequest(ask("x", { temperature = 3 }))).field)
    assert.equal("input", select(2, llm.EmbeddingRequest({})).field)
  end)

  it("raise when they are given no table, at the caller's line", function()
    local ok, message = pcall(llm.ChatMessage, "Hello!")
    assert.is_false(ok)
    assert.matches("ChatMessage: expected a table, got string", message)
  end)
end)
