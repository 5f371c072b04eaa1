-- errors_spec.lua: errors out of answers and failures: what real gateways send, and what must come out. Cases of the
-- fixtures file are served over a socket elsewhere; here most are read directly.

local errors = require "llm_gateway.errors"
local gateways = require "llm_gateway.gateways"
local json = require "llm_gateway.json"
local cases = require "spec.errors_cases"
local shell = require "spec.shell"
local support = require "spec.support"

local function answer_of(status, headers, text, more)
  local answer = { status = status, headers = headers, text = text, value = (json.decode(text)) }
  for name, value in pairs(more or {}) do answer[name] = value end
  return errors.of_answer(answer)
end

local function check(err, expected)
  for name, want in pairs(expected) do
    if name == "find" then
      assert.is_truthy(err.message:find(want, 1, true), err.message)
    elseif name == "maxlen" then
      assert.is_true(#err.message <= want)
    else
      assert.are.equal(want or nil, err[name] or nil, name)
    end
  end
end

describe("errors of answers", function()
  for _, list in ipairs({ cases, require("spec.gateways_cases") }) do
    for _, case in ipairs(list) do
      it(case.name, function()
        check(answer_of(case.status, case.headers or {}, case.body, case.answer), case.expect)
      end)
    end
  end

  local SKIP = { after_chunks = true, partial = true }
  local function read_directly(case)
    local headers, expected = {}, {}
    for name, text in pairs(case.headers) do headers[name:lower()] = text end
    for name, want in pairs(case.expect) do
      if not SKIP[name] then expected[name] = want end
    end
    check(answer_of(case.status, headers, case.body, { in_stream = case.request == "stream" }), expected)
  end

  for _, file in ipairs({ "errors", "gateways" }) do
    for _, case in ipairs(assert(json.decode(shell.read("spec/fixtures/" .. file .. ".json"))).cases) do
      if case.request == "chat" or json.decode(case.body) ~= nil then
        it("fixture: " .. case.name, function() read_directly(case) end)
      end
    end
  end

  it("are told from results in a 2xx", function()
    for text, is_error in pairs({
      ['{"error":{"message":"m"}}'] = true, ['{"error":"m","choices":[]}'] = true, ['{"error":""}'] = true,
      ['{"error":{}}'] = true, ['{"status_code":429,"detail":"m"}'] = true, ['[{"error":{"code":503}}]'] = true,
      ['{"object":"error","message":"m"}'] = true, ['{"errors":[{"message":"m"}]}'] = true,
      ['{"choices":[],"error":{}}'] = false, ['{"choices":[],"error":null}'] = false, ['{"error":false}'] = false,
      ['{"status_code":200,"detail":"done"}'] = false, ['{"data":{},"errors":[{"message":"m"}]}'] = false,
      ['[{"error":{}},{"id":1}]'] = false, ["{}"] = false, ["[]"] = false,
      ['[{"error":{"code":1},"id":1}]'] = false, ['{"status":"ok","errors":["x"]}'] = false,
      ['{"success":false,"errors":[{"code":1}]}'] = true, ['{"status":"ok","error":""}'] = false,
      ['{"status":"ok","error":"None"}'] = false, ['{"status":"ok","error":0}'] = false, ['{"error":"None"}'] = true,
      ['{"choices":[{"error":"null","message":{"content":"x"}}]}'] = false,
      ['{"status":404,"title":"Not Found","detail":"m"}'] = true, ['{"success":false,"reason":"m"}'] = true,
      ['{"error_code":"0","error_msg":"fine"}'] = false, ['{"message":"None","success":false}'] = false,
    }) do
      assert.equal(is_error, errors.is_error_body((json.decode(text))), text)
    end
  end)

  it("are known by a named gateway's mark in a 200", function()
    local text = '{"model":"from-security-guard","choices":[{"index":0,"message":{"content":"I may not."}}]}'
    local higress = gateways.named("higress")
    assert.is_false(errors.is_error_body(json.decode(text)))
    assert.is_true(errors.is_error_body(json.decode(text), higress))
    local err = answer_of(200, {}, text, { profile = higress })
    assert.same({ "policy_denied", "I may not.", false }, { err.kind, err.message, err.retryable })
    assert.equal("[policy_denied] I may not.", tostring(err))
  end)

  it("are read by a named gateway's own codes first", function()
    local text = '{"error":{"code":"1004","message":"no"}}'
    assert.equal("server", answer_of(200, {}, text).kind)
    assert.equal("authentication", answer_of(200, {}, text, { profile = gateways.named("minimax") }).kind)
    local mine = gateways.check({ codes = { policy_denied = { "no_way" } }, fields = { policy_name = { "who" } } })
    local err = answer_of(500, {}, '{"error":{"code":"no_way","who":"me","message":"m"}}', { profile = mine })
    assert.same({ "policy_denied", "me" }, { err.kind, err.policy_name })
  end)

  it("waits until an HTTP date in the future", function()
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 90)
    local wait = answer_of(503, { ["retry-after"] = date }, "").retry_after
    assert.is_true(wait > 80 and wait <= 91)
  end)
end)

describe("answers that no gateway should send", function()
  it("are errors all the same where a field is of a type of its own", function()
    for _, odd in ipairs({ "5", "true", "[1]", "{\"a\":[null]}", "\"x\"", "1e999" }) do
      for _, name in ipairs({
        "outcome", "hook_results", "code", "error", "errors", "detail", "message", "type", "metadata", "reasons",
        "innererror", "provider_specific_fields", "retry_after", "limit", "content_filter_result", "policy",
      }) do
        local body = ('{"%s":%s}'):format(name, odd)
        for _, text in ipairs({ body, '{"error":' .. body .. "}", '{"detail":' .. body .. "}" }) do
          assert.is_string(answer_of(403, {}, text).message, text)
        end
      end
      answer_of(403, {}, '{"hook_results":{"before_request_hooks":' .. odd .. "}}")
      answer_of(403, {}, '{"hook_results":{"after_request_hooks":[' .. odd .. "]}}")
    end
  end)

  local NINES = ("9"):rep(400)

  it("never make a wait of what is no finite number", function()
    for _, text in ipairs({
      NINES, NINES .. "s", ("9"):rep(307) .. "d", "1s" .. NINES .. "s", NINES .. "ms", "1." .. NINES .. "s",
      "2024-01-01T00:00:1.2.3Z", "2024-01-01T00:00:.Z", NINES .. " Jan 2024 00:00:00",
      "01 Jan " .. NINES .. " 00:00:00 GMT", "01 Jan 2024 " .. NINES .. ":00:00 GMT",
      "2024-01-01T00:00:" .. NINES .. "Z", "1e308", "1e999",
    }) do
      for _, status in ipairs({ 429, 503 }) do
        for _, err in ipairs({
          answer_of(status, { ["retry-after"] = text }, ""),
          answer_of(status, { ["retry-after-ms"] = text }, ""),
          answer_of(status, { ["x-ratelimit-remaining"] = "0", ["x-ratelimit-reset"] = text }, ""),
          answer_of(status, { ["x-ratelimit-remaining"] = "-" .. text, ["x-ratelimit-limit"] = text }, ""),
          answer_of(status, {}, '{"message":"try again in ' .. text .. '"}'),
          answer_of(status, {}, '{"retry_after":"' .. text .. '"}'),
          answer_of(status, {}, '{"message":"limit: 1, used: ' .. text .. '"}'),
        }) do
          for _, n in ipairs({ err.retry_after or 0, err.limit or 0, err.current or 0 }) do
            assert.is_true(n == n and n < math.huge and n > -math.huge, text)
          end
          assert.is_true((err.retry_after or 0) >= 0, text)
        end
      end
    end
  end)
end)

describe("the time to read a hostile answer #timed", function()
  local KEY = "sk-12345678901234567890"
  local SMALL, LARGE = 1e5, 1e6 -- bytes

  -- The processor's time for one reading, the best of three.
  local function seconds(case, bytes)
    local text = case[3]:rep(math.floor(bytes / #case[3]))
    local status, headers, body, more = case[2](text)
    local best = math.huge
    for _ = 1, 3 do
      local started = os.clock()
      answer_of(status, headers, body, more or { secrets = { KEY }, in_stream = true })
      best = math.min(best, os.clock() - started)
    end
    return best
  end

  local function header(name, before)
    return function(text) return 429, { [name] = (before or "") .. text }, "" end
  end

  local function bucket(field)
    return function(text) return 429, { ["x-ratelimit-remaining"] = "0", ["x-ratelimit-" .. field] = text }, "" end
  end

  local function message(before, status)
    return function(text) return status or 429, {}, ('{"message":"%s%s"}'):format(before or "", text) end
  end

  local function body(status, before)
    return function(text) return status, {}, (before or "") .. text end
  end

  for _, case in ipairs({
    { "blanks in Retry-After", header("retry-after", "1"), " " },
    { "spans in Retry-After", header("retry-after"), "1s" },
    { "digits in Retry-After", header("retry-after"), "1" }, { "commas in Retry-After", header("retry-after"), "1," },
    { "letters in retry-after-ms", header("retry-after-ms"), "a" }, { "a limit of commas", bucket("limit"), "," },
    { "a reset of spans", bucket("reset"), "1s" }, { "a reset of colons", bucket("reset"), "00:" },
    { "a combined limit", header("ratelimit"), "remaining=" }, { "an error type", header("x-amzn-errortype"), "a" },
    { "letters in Location", function(text) return 302, { location = text }, "" end, "x" },
    { "at signs in Location", function(text) return 302, { location = text }, "" end, "@" },
    { "a title of blanks", body(502, "<title>"), " " },
    { "titles", body(502), "<title" }, { "headings", body(502), "<h1>" },
    { "a line without an end", body(502), "x" }, { "blanks", body(502), " " }, { "empty lines", body(502), "\n" },
    { "spans in a message", message("try again in "), "1s" },
    { "digits in a message", message("try again in "), "1" },
    { "waits in a message", message(), "try again in " }, { "limits in a message", message(), "limit: 1, used " },
    { "pairs in a message", message(), "1 >= " }, { "rules in a message", message("", 403), "Rule '" },
    { "guardrails in a message", message("", 403), "guardrail '" }, { "braces in a message", message(), "{" },
    { "pairs of braces in a message", message(), "{}" }, { "brackets in a message", message(), "[" },
    { "a dict in a message", message("x {"), "'a': 1, " }, { "quotes in a dict", message("{"), "'" },
    { "words in a message", message(), "budget guardrail rate limit " },
    { "foreign words", message(), "\233\162\157" },
    { "colons in a message", message("", 400), "a: " }, { "a long code", body(400, '{"code":"x'), "a" },
    { "blanks in a field", function(text) return 403, {}, ('{"policy":"x%sy"}'):format(text) end, " " },
    { "a long param", function(text) return 400, {}, ('{"param":"%s"}'):format(text) end, "a[0]." },
    { "many fields", function(text) return 400, {}, ('{"error":{%s"z":1}}'):format(text) end, '"retry_after":1,' },
    { "many items", function(text) return 400, {}, ('{"detail":[%s{}]}'):format(text) end, '{"loc":[1],"msg":"m"},' },
    { "many errors", function(text) return 400, {}, ('{"errors":[%s{}]}'):format(text) end, '{"message":"m"},' },
    { "backslashes", message("", 403), "\\\\" }, { "keys", body(403), KEY },
    { "choices", function(text) return 200, {}, ('{"choices":[%s{}],"error":"x"}'):format(text) end, '{"index":0},' },
  }) do
    it("grows with its length: " .. case[1], function()
      local small, large = seconds(case, SMALL), seconds(case, LARGE)
      local told = ("%g s for %g bytes, %g s for %g"):format(small, SMALL, large, LARGE)
      assert.is_true(large < 0.02 or large < 25 * small, told)
    end)
  end
end)

describe("error tables", function()
  it("print their status, else their kind", function()
    assert.are.equal("[429] m", tostring(errors.new({ kind = "rate_limit", status = 429, message = "m" })))
    assert.are.equal("[connection] m", tostring(errors.new({ kind = "connection", message = "m" })))
  end)

  it("say a status once", function()
    local function said(fields)
      fields.kind = "server"
      return tostring(errors.new(fields))
    end
    assert.equal("[504] Gateway Time-out", said({ status = 504, message = "504 Gateway Time-out" }))
    assert.equal("[504] 5040 things", said({ status = 504, message = "5040 things" }))
    assert.equal("[504] 504", said({ status = 504, message = "504" }))
    assert.equal("[server] m", said({ status = 200, message = "m" }))
  end)

  it("assert like assert, on every Lua", function()
    assert.are.same({ 1, nil, 3 }, { errors.assert(1, nil, 3) })
    local err = errors.new({ kind = "stream", message = "m" })
    local _, raised = pcall(errors.assert, nil, err)
    assert.are.equal(err, raised)
    local _, words = pcall(errors.assert, false, "text")
    assert.are.equal("text", words)
  end)

  it("say what an unchanged repeat is good for", function()
    local function retryable(fields)
      fields.message = "m"
      return errors.new(fields).retryable
    end
    assert.is_true(retryable({ kind = "server", status = 500 }))
    assert.is_true(retryable({ kind = "connection", transient = true }))
    assert.is_false(retryable({ kind = "connection" }))
    assert.is_false(retryable({ kind = "server", status = 500, started = true }))
    assert.is_false(retryable({ kind = "policy_denied", status = 500 }))
  end)

  it("hide secrets in keys, values and cycles", function()
    local value = { ["k-12345678"] = { "Bearer 12345678" } }
    value.self = value
    local clean = errors.redact(value, { "12345678", "short" })
    assert.are.equal("Bearer [redacted]", clean["k-[redacted]"][1])
    assert.are.equal(clean, clean.self)
    assert.are.equal("Bearer 12345678", value["k-12345678"][1])
  end)
end)

describe("a key that a gateway repeats", function()
  local KEY = "sk-Fz7vQ2xR9tK4mW8yLp3"
  local gateway = support.gateway()

  local function check_hidden(value)
    if type(value) == "string" then assert.is_nil(value:find(KEY:sub(1, 8), 1, true), value) end
    for name, item in pairs(type(value) == "table" and value or {}) do
      check_hidden(name)
      check_hidden(item)
    end
  end

  local function hidden(err)
    assert.is_true(errors.is(err))
    check_hidden(err)
    check_hidden(tostring(err))
    return err
  end

  -- What a real stream of these events ends with; its answer's headers have the key too, and may promise more bytes.
  local function stream_of(events, more)
    local body = {}
    for i, data in ipairs(events) do body[i] = "data: " .. data .. "\n\n" end
    local headers = { "X-Key: " .. KEY, "X-Request-Id: r-" .. KEY, more }
    local step = support.answer(table.concat(body), { type = "text/event-stream", length = false, headers = headers })
    local client = support.scripted(gateway, { step }, { api_key = KEY })
    return assert(client:chat(support.ask("x", { stream = true })))
  end

  local function stream_error(events, more)
    return select(2, support.drain(stream_of(events, more)))
  end

  local SAYS = '{"choices":[{"index":0,"delta":{"content":"it is ' .. KEY .. '"}}]}'

  it("is hidden in a stream that broke off, in its headers and in its text", function()
    local err = hidden(stream_error({ SAYS }))
    assert.equal("it is [redacted]", err.partial)
    assert.equal("r-[redacted]", err.request_id)
  end)

  it("is hidden where an event could not be decoded, cut or not", function()
    hidden(stream_error({ "no JSON " .. KEY }))
    hidden(stream_error({ ("x"):rep(70) .. KEY }))
  end)

  it("is hidden in a stream that was lost or reported an error", function()
    hidden(stream_error({ SAYS }, "Content-Length: 9999"))
    hidden(stream_error({ SAYS, '{"error":{"message":"' .. KEY .. '"}}' }))
  end)

  it("is hidden in a stream that was closed", function()
    local stream = stream_of({ SAYS })
    assert.is_table(stream:next())
    stream:close()
    hidden(select(2, stream:next()))
  end)

  it("is hidden where only the beginning of a text is shown", function()
    for length = 40, 330 do
      local text = ("x"):rep(length) .. KEY .. ("y"):rep(300)
      hidden(answer_of(502, {}, text, { secrets = { KEY } }))
      hidden(answer_of(502, {}, "<title>" .. text .. "</title>", { secrets = { KEY } }))
      hidden(answer_of(200, {}, text, { secrets = { KEY }, in_stream = true }))
    end
  end)
end)

describe("the error of a named gateway's stream", function()
  local gateway = support.gateway()

  it("is read by its own codes", function()
    for name, kind in pairs({ minimax = "authentication", openai = "server" }) do
      local client = support.streaming(gateway, { '{"error":{"code":"1004","message":"no"}}' }, { gateway = name })
      local _, err = assert(client:chat(support.ask("x", { stream = true }))):next()
      assert.equal(kind, err.kind)
    end
  end)
end)
