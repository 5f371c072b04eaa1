-- errors_spec.lua: errors out of answers and failures, without a network: what real gateways send, and what must
-- come out. Cases of the fixtures file are served over a socket elsewhere; here they are read directly.

local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local cases = require("spec.errors_cases")

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

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
  for _, case in ipairs(cases) do
    it(case[1], function() check(answer_of(case[2], case[3], case[4], case[6]), case[5]) end)
  end

  local SKIP = { after_chunks = true, partial = true }
  for _, case in ipairs(assert(json.decode(read("spec/fixtures/errors.json"))).cases) do
    local value = json.decode(case.body)
    if case.request == "chat" or value ~= nil then
      it("fixture: " .. case.name, function()
        local headers, expected = {}, {}
        for name, text in pairs(case.headers) do headers[name:lower()] = text end
        for name, want in pairs(case.expect) do
          if not SKIP[name] then expected[name] = want end
        end
        check(answer_of(case.status, headers, case.body, { in_stream = case.request == "stream" }), expected)
      end)
    end
  end

  it("waits until an HTTP date in the future", function()
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 90)
    local wait = answer_of(503, { ["retry-after"] = date }, "").retry_after
    assert.is_true(wait > 80 and wait <= 91)
  end)
end)

describe("error tables", function()
  it("print their status, else their kind", function()
    assert.are.equal("[429] m", tostring(errors.new({ kind = "rate_limit", status = 429, message = "m" })))
    assert.are.equal("[connection] m", tostring(errors.new({ kind = "connection", message = "m" })))
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
    assert.is_true(retryable({ kind = "connection", never_connected = true }))
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
