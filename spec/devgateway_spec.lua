-- devgateway_spec.lua: the development gateway, driven with the curl command over a real socket.
-- Leans on curl and sh, not on this library's own client: the two must not share a mistake.

local devgateway = require "llm_gateway.devgateway"
local json = require "llm_gateway.json"
local launch = require "llm_gateway.devgateway.launch"

local gateway

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function shell(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- options: headers (list of texts), key (false: none), body (a value), limit (seconds), flags
local function curl(path, options)
  options = options or {}
  local words = { "curl -sS -N -i --max-time", tostring(options.limit or 10), options.flags or "" }
  if options.key ~= false then words[#words + 1] = "-H 'X-API-Key: " .. (options.key or "gw_dev") .. "'" end
  for _, header in ipairs(options.headers or {}) do words[#words + 1] = "-H " .. quote(header) end
  if options.body then words[#words + 1] = "--data-binary " .. quote(assert(json.encode(options.body))) end
  words[#words + 1] = quote((options.url or gateway.url) .. path) .. " 2>&1"
  local text = shell(table.concat(words, " "))
  local status, head, body = text:match("^HTTP/[%d.]+ (%d+)[^\r]*\r\n(.-)\r\n\r\n(.*)$")
  return { status = tonumber(status), head = head and ("\r\n" .. head:lower()), body = body, text = text,
    json = body and json.decode(body) }
end

local function chat(text, fields, options)
  local body = { model = "gpt-4", messages = { { role = "user", content = text } } }
  for name, value in pairs(fields or {}) do body[name] = value end
  options = options or {}
  options.body = body
  return curl((options.prefix or "") .. "/v1/chat/completions", options)
end

local function said(answer) return answer.json.choices[1].message.content end

local function chunks(answer)
  local list = {}
  for data in answer.body:gmatch("data: ([^\n]*)\n\n") do
    list[#list + 1] = data == "[DONE]" and data or json.decode(data)
  end
  return list
end

local function stats() return curl("/~stats", { key = false }).json end

local function await(check)
  for _ = 1, 100 do
    if check() then return true end
    os.execute("sleep 0.02")
  end
  return false
end

local function temporary(text)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
  return name
end

describe("the development gateway #apart", function()
  local fixtures

  setup(function()
    fixtures = temporary(json.encode({ cases = { { name = "busy & late", status = 429,
      headers = { ["Retry-After"] = "7", ["Content-Type"] = "application/json" }, body = '{"detail": "no"}' } } }))
    gateway = assert(devgateway.start({ delay = 0.005, fixtures = fixtures }))
  end)

  teardown(function()
    gateway:stop()
    os.remove(fixtures)
  end)

  describe("as a process", function()
    it("starts and stops in one call each, quickly", function()
      local other = assert(devgateway.start())
      assert.matches("^http://127%.0%.0%.1:%d+$", other.url)
      assert.equal(200, curl("/health", { url = other.url }).status)
      other:stop()
      other:stop()
      assert.is_nil(curl("/health", { url = other.url }).status)
    end)

    it("says what is wrong", function()
      local none, message = devgateway.start({ port = gateway.port })
      assert.is_nil(none)
      assert.matches("cannot listen on port", message)
      none, message = devgateway.start({ lua = "no-such-lua" })
      assert.is_nil(none)
      assert.matches("no%-such%-lua lacks lua%-http", message)
      none, message = devgateway.start({ fixtures = "/nowhere/at/all.json" })
      assert.is_nil(none)
      assert.matches("/nowhere/at/all.json", message)
      assert.has_error(function() devgateway.start({ dleay = 1 }) end)
    end)

    -- Its output stays open for as long as any process of it lives.
    it("ends with the program that launched it", function()
      local program = "env -u LUA_PATH -u LUA_CPATH lua5.4 lua/llm_gateway/devgateway/main.lua"
      local pipe = assert(io.popen(("exec 2>/dev/null; sh -c 'echo $$; exec %s' | timeout 20 cat; echo \"cat: $?\"")
        :format(program), "r"))
      local pid, line = pipe:read("*l"), pipe:read("*l")
      assert.matches("^development gateway on http://127.0.0.1:%d+", line)
      shell("kill -9 " .. pid)
      assert.matches("^cat: 0", pipe:read("*a"))
      pipe:close()
    end)

    it("runs from the shell until its input ends", function()
      local command = "(sleep 0.3) | sh -c " .. quote(launch.command({ "--until-eof" }, {})) .. "; echo ended"
      assert.matches("development gateway on http://127.0.0.1:%d+.*ended", shell(command))
    end)
  end)

  describe("authentication", function()
    it("wants a key, in either header", function()
      assert.equal(401, curl("/v1/models", { key = false }).status)
      assert.equal(401, curl("/v1/models", { key = "wrong" }).status)
      assert.equal(200, curl("/v1/models").status)
      assert.equal(200, curl("/v1/models", { key = false, headers = { "Authorization: Bearer gw_dev" } }).status)
    end)

    it("knows several keys, apps and orgs", function()
      local strict = assert(devgateway.start({ api_key = { "k1", "k2" }, apps = { mine = {} }, orgs = { "acme" } }))
      local function status(key, ...)
        return chat("hi", nil, { url = strict.url, key = key, headers = { ... } }).status
      end
      assert.same({ 200, 200, 401 }, { status("k1"), status("k2"), status("gw_dev") })
      assert.same({ 200, 403 }, { status("k1", "X-App-ID: mine"), status("k1", "X-App-ID: other") })
      assert.same({ 200, 403 }, { status("k1", "X-Org-ID: acme"), status("k1", "X-Organization-Id: other") })
      strict:stop()
    end)

    it("needs no key when told so", function()
      local open = assert(devgateway.start({ api_key = false }))
      assert.equal(200, curl("/v1/models", { url = open.url, key = false }).status)
      open:stop()
    end)
  end)

  describe("chat", function()
    it("answers the question", function()
      assert.equal("The capital of Japan is Tokyo.", said(chat("What is the capital of Japan?")))
      assert.equal("2 + 3 * (4 - 1) = 11", said(chat("What is 2 + 3 * (4 - 1)?")))
      assert.equal("1 2 3 4", said(chat("Please count to 4")))
      assert.equal("two  blanks\nand \195\169", said(chat("repeat: two  blanks\nand \195\169")))
      assert.matches("zebras", said(chat("Tell me about zebras")))
    end)

    it("gives the reply's and the gateway's fields", function()
      local reply = chat("count to 5").json
      assert.same({ prompt_tokens = 3, completion_tokens = 5, total_tokens = 8 }, reply.usage)
      assert.equal("stop", reply.choices[1].finish_reason)
      assert.matches("^req_", reply.request_id)
      assert.is_number(reply.latency_ms)
      assert.equal("openai", reply.gateway_metadata.provider)
      assert.is_true(math.abs(reply.cost - (3 * 0.03 + 5 * 0.06) / 1000) < 1e-9)
    end)

    it("obeys max_tokens, stop and n", function()
      local short = chat("count to 9", { max_tokens = 3 })
      assert.equal("1 2 3", said(short))
      assert.equal("length", short.json.choices[1].finish_reason)
      assert.equal("1 2 3 ", said(chat("count to 9", { stop = { "7", "4" } })))
      assert.equal(3, #chat("hello", { n = 3 }).json.choices)
    end)

    it("streams word by word", function()
      local list = chunks(chat("count to 3", { stream = true, stream_options = { include_usage = true } }))
      assert.equal("assistant", list[1].choices[1].delta.role)
      assert.same({ " 2", " 3" }, { list[3].choices[1].delta.content, list[4].choices[1].delta.content })
      assert.equal("stop", list[5].choices[1].finish_reason)
      assert.equal(6, list[6].usage.total_tokens)
      assert.same({}, list[6].choices)
      assert.equal("[DONE]", list[7])
    end)

    local tools = { { type = "function", ["function"] = { name = "get_weather", description = "Weather of a city",
      parameters = { type = "object", properties = { city = { type = "string" },
        unit = { type = "string", enum = { "celsius", "fahrenheit" } } }, required = { "city" } } } } }

    it("calls a tool when the question asks for one", function()
      local choice = chat("What is the weather in Paris in celsius?", { tools = tools }).json.choices[1]
      assert.equal("tool_calls", choice.finish_reason)
      assert.same({ city = "Paris", unit = "celsius" },
        json.decode(choice.message.tool_calls[1]["function"].arguments))
      assert.equal("stop", chat("What is 1 + 1?", { tools = tools }).json.choices[1].finish_reason)
    end)

    it("streams several calls in pieces", function()
      local list = chunks(chat("The weather in Paris and Tokyo?", { tools = tools, stream = true }))
      local arguments = { "", "" }
      for _, chunk in ipairs(list) do
        local call = type(chunk) == "table" and (chunk.choices[1].delta.tool_calls or {})[1]
        if call then
          arguments[call.index + 1] = arguments[call.index + 1] .. call["function"].arguments
        end
      end
      assert.same({ '{"city":"Paris"}', '{"city":"Tokyo"}' }, arguments)
    end)

    it("answers with a tool's result", function()
      local call = { id = "c1", type = "function", ["function"] = { name = "get_weather", arguments = "{}" } }
      local messages = { { role = "user", content = "Weather?" }, { role = "assistant", tool_calls = { call } },
        { role = "tool", tool_call_id = "c1", content = "18 degrees" } }
      assert.equal("get_weather says: 18 degrees", said(chat("", { messages = messages, tools = tools })))
    end)

    it("refuses what it cannot read", function()
      assert.equal(422, chat("", { messages = json.array({}) }).status)
      assert.equal("messages[0].role", chat("", { messages = { { role = "robot", content = "" } } }).json.field)
      assert.equal(422, chat("hi", { temperature = 3 }).status)
      assert.equal(400, curl("/v1/chat/completions", { flags = "-d '{broken'" }).status)
      assert.equal(404, chat("hi", { model = "gpt-99" }).status)
      assert.equal(404, curl("/v1/nothing").status)
      assert.equal(405, curl("/v1/chat/completions").status)
    end)
  end)

  describe("embeddings, models and health", function()
    local function embed(input, fields)
      local body = { model = "text-embedding-ada-002", input = input }
      for name, value in pairs(fields or {}) do body[name] = value end
      return curl("/v1/embeddings", { body = body }).json.data
    end

    local function dot(a, b)
      local sum = 0
      for index = 1, #a.embedding do sum = sum + a.embedding[index] * b.embedding[index] end
      return sum
    end

    it("puts similar texts near each other", function()
      local data = embed({ "A cat sits on the mat", "The cats sat on a mat", "Stock prices fell sharply" })
      assert.is_true(math.abs(dot(data[1], data[1]) - 1) < 1e-4)
      assert.is_true(dot(data[1], data[2]) > dot(data[1], data[3]) + 0.2)
    end)

    it("honours dimensions and base64", function()
      assert.equal(256, #embed("x")[1].embedding)
      assert.equal(16, #embed("x", { dimensions = 16 })[1].embedding)
      assert.equal(88, #embed("x", { dimensions = 16, encoding_format = "base64" })[1].embedding)
    end)

    it("writes float32 as others do", function()
      local vectors = require "llm_gateway.devgateway.vectors"
      assert.equal("AACAPwAAAL/NzMw9AAAAAA==", vectors.base64({ 1, -0.5, 0.1, 0 }))
    end)

    it("lists models of five providers", function()
      local owners, count = {}, 0
      for _, model in ipairs(curl("/v1/models").json.data) do owners[model.owned_by] = true end
      for _ in pairs(owners) do count = count + 1 end
      assert.equal(5, count)
      assert.equal("anthropic", curl("/v1/models/claude-3-opus-20240229").json.owned_by)
    end)

    it("is healthy, or not when asked to be ill", function()
      assert.equal("healthy", curl("/health", { key = false }).json.status)
      assert.equal(503, curl("/~fault/unhealthy/health", { key = false }).status)
    end)
  end)

  describe("refusals", function()
    it("names the policy", function()
      local answer = chat("my password is 1234")
      assert.equal(403, answer.status)
      assert.equal("no-secrets", answer.json.policy_name)
      assert.equal("no-gpt-4-32k", chat("hi", { model = "gpt-4-32k" }).json.policy_name)
    end)

    it("spends an app's budget until it is gone", function()
      local answer
      for _ = 1, 20 do
        answer = chat("count to 9", { app_id = "demo-budget" })
        if answer.status ~= 200 then break end
      end
      assert.equal(402, answer.status)
      assert.equal("BUDGET_EXCEEDED", answer.json.error_code)
      assert.equal("monthly", answer.json.budget_type)
      assert.equal(0.002, answer.json.limit)
      assert.is_true(answer.json.current > 0)
    end)

    it("limits rates over a real window", function()
      local small = assert(devgateway.start({ apps = { quick = { rate = { limit = 2, window = 1 } } } }))
      local function ask() return chat("hi", nil, { url = small.url, headers = { "X-App-ID: quick" } }) end
      assert.matches("x%-ratelimit%-remaining: 1\r\n", ask().head .. "\r\n")
      assert.equal(200, ask().status)
      local limited = ask()
      assert.equal(429, limited.status)
      assert.matches("retry%-after: 1\r\n", limited.head .. "\r\n")
      assert.is_true(await(function() return ask().status == 200 end))
      small:stop()
    end)

    it("runs dry without spending", function()
      local dry = chat("my password", { dry_run = true }).json
      assert.same({ true, false, "no-secrets" }, { dry.dry_run, dry.would_be_allowed, dry.policy_name })
      dry = chat("hello", nil, { headers = { "X-Dry-Run: true" } }).json
      assert.is_true(dry.would_be_allowed)
      assert.is_number(dry.estimated_cost_usd)
    end)

    it("speaks the detail dialect", function()
      local other = assert(devgateway.start({ dialect = "detail", apps = { poor = { budget = { limit = 0 } } } }))
      local function ask(text, fields) return chat(text, fields, { url = other.url }) end
      local plain = ask("password")
      assert.equal(403, plain.status)
      assert.equal("Rule 'no-secrets' matched", plain.json.detail.reason)
      local stream = ask("password", { stream = true })
      assert.equal(200, stream.status)
      assert.equal(403, stream.json.status_code)
      assert.equal("denied_policy", stream.json.detail.outcome)
      assert.matches('"headers":null', stream.body)
      assert.equal("denied_budget", ask("hi", { app_id = "poor" }).json.detail.outcome)
      assert.same({ "body", "temperature" }, ask("hi", { temperature = 3 }).json.detail[1].loc)
      assert.equal("AUTH_MISSING_KEY", curl("/v1/models", { url = other.url, key = false }).json.detail.error)
      other:stop()
    end)
  end)

  describe("on demand", function()
    it("gives a fixture as it stands, by path or header", function()
      for _, answer in ipairs({ chat("hi", nil, { prefix = "/~fixture/busy%20%26%20late" }),
        chat("hi", nil, { headers = { "X-Dev-Fixture: busy & late" } }) }) do
        assert.equal(429, answer.status)
        assert.equal('{"detail": "no"}', answer.body)
        assert.matches("retry%-after: 7", answer.head)
      end
      assert.equal(404, curl("/~fixture/none/v1/models").status)
    end)

    it("echoes a request", function()
      local echo = curl("/~echo/a/b?c=1", { headers = { "X-One: 1" }, body = { x = 1 } }).json
      assert.same({ "POST", "/~echo/a/b?c=1", '{"x":1}' }, { echo.method, echo.path, echo.body })
      local found
      for _, header in ipairs(echo.headers) do found = found or header.name == "x-one" and header.value end
      assert.equal("1", found)
    end)

    it("plays a script byte by byte", function()
      local steps = { { send = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na" }, { delay = 0.01 },
        { hex = "62 63" }, { close = true } }
      assert.equal(4, curl("/~script", { key = false, body = { name = "abc", steps = steps } }).json.steps)
      assert.equal("abc", curl("/~script/abc/v1/models").body)
      assert.equal(400, curl("/~script", { body = { name = "bad", steps = { { jump = 1 } } } }).status)
    end)

    -- What curl says of each fault, or what it received.
    local expected = {
      never = "%(28%)", stall = "1.-%(28%)", ["stall-body"] = "%(28%)", cut = "%(18%)", drop = "%(52%)",
      reset = "%(56%)", ["reset;events=2"] = "%(56%)", garbage = "HTTP/0.9",
      ["wrong-type"] = "text/html.-It works", heartbeat = ": ping\n\n: ping", empty = "event%-stream",
      ["no-done"] = "finish_reason\":\"stop\".-%(28%)", ["cut-plain"] = "data: .-\n\n$",
      ["close-after"] = "%[DONE%]", ["one-byte"] = "%[DONE%]",
      ["status;code=418"] = "418", nonsense = "no fault is called",
    }
    for fault, pattern in pairs(expected) do
      it("commits the fault " .. fault, function()
        local answer = chat("count to 5", { stream = true },
          { prefix = "/~fault/" .. fault, limit = fault == "heartbeat" and 0.4 or 0.3 })
        assert.matches(pattern, answer.text)
      end)
    end

    it("sends what is large in constant memory", function()
      local function size(fault)
        return tonumber(shell("curl -sS -o /dev/null -w '%{size_download}' -X POST -d '' "
          .. quote(gateway.url .. "/~fault/" .. fault .. "/v1/chat/completions")))
      end
      assert.equal(5000000, size("big;size=5000000"))
      assert.is_true(size("big-event;size=3000000") > 3000000)
      assert.is_true(size("flood;size=200000000") > 200000000)
      local status = io.open("/proc/" .. string.format("%d", gateway.pid) .. "/status")
      if status then
        assert.is_true(tonumber(status:read("*a"):match("VmHWM:%s*(%d+)")) < 65536)
        status:close()
      end
    end)

    it("fails the first times only", function()
      local flaky = { prefix = "/~fault/flaky;times=2;code=503;retry_after=0.1" }
      local seen = { chat("hi", nil, flaky).status, chat("hi", nil, flaky).status, chat("hi", nil, flaky).status }
      assert.same({ 503, 503, 200 }, seen)
    end)

    it("leaves a kept connection at the worst moment", function()
      local target = quote(gateway.url .. "/~fault/drop-next/v1/chat/completions")
      local text = shell("curl -sS -v --max-time 3 -X POST -d '' " .. target .. " " .. target .. " 2>&1")
      assert.matches("Re%-using existing connection.-Connection died", text)
    end)
  end)

  describe("clients that go away", function()
    it("are noticed at once", function()
      local before = stats().streams_broken
      chat("count to 2000", { stream = true }, { limit = 0.2 })
      assert.is_true(await(function() return stats().streams_broken == before + 1 end))
      assert.equal(0, stats().streams_open)
    end)

    it("are noticed over HTTP/2, too", function()
      local before = stats().streams_broken
      chat("count to 2000", { stream = true }, { limit = 0.2, flags = "--http2-prior-knowledge" })
      assert.is_true(await(function() return stats().streams_broken == before + 1 end))
      assert.is_true(await(function() return stats().open_connections == 1 end))
    end)

    it("may do so inside a request", function()
      local request = "POST /v1/models HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 100\\r\\n\\r\\n{"
      shell(("bash -c \"printf '%s' >/dev/tcp/127.0.0.1/%d\""):format(request, gateway.port))
      assert.equal(200, curl("/health", { limit = 2 }).status)
      assert.is_true(await(function() return stats().open_connections == 1 end))
    end)

    it("leave no trace in great number", function()
      local body = quote('{"model":"gpt-4","stream":true,"messages":[{"role":"user","content":"count to 20"}]}')
      local url = quote(gateway.url .. "/v1/chat/completions?[1-200]")
      local text = shell("curl -sS -Z --parallel-max 200 -H 'X-API-Key: gw_dev' -d " .. body .. " " .. url .. " 2>&1")
      local _, ended = text:gsub("%[DONE%]", "")
      assert.equal(200, ended)
      assert.is_true(await(function() return stats().open_connections == 1 end)) -- the one that asks
    end)
  end)
end)
