-- JSON as the library reads and writes it: nothing is damaged in silence, under any Lua.
local cjson = require "cjson"
local llm = require "llm_gateway"
local support = require "spec.support"

local encode, decode = llm.json.encode, llm.json.decode

local function fault(value)
  local text, message, path = encode(value)
  assert.is_nil(text)
  assert.is_string(message)
  return path, message
end

describe("decoding", function()
  it("makes null nil, in objects and alone", function()
    assert.same({ b = 1 }, decode('{"a":null,"b":1}'))
    assert.is_nil(next(decode('{"a":null}')))
    assert.is_nil(decode("null"))
    assert.equal(1, select("#", decode("null")))
  end)

  it("keeps the place of a null in a list", function()
    local list = decode("[1,null,3]")
    assert.equal(3, #list)
    assert.equal(llm.null, list[2])
    assert.equal("[1,null,3]", encode(list))
    assert.equal("[null]", encode(decode("[null]")))
  end)

  it("echoes empty lists and empty objects as they were", function()
    for _, text in ipairs({
      "[]", "{}", "[[],{}]", '{"a":[],"b":{}}', '{"tools":{}}', '{"x":[{"y":[[]]}]}', '[{"stop":[ ]}]', "[[[]]]",
    }) do
      assert.equal((text:gsub(" ", "")), encode(decode(text)))
    end
  end)

  it("never mistakes what stands in a text", function()
    for _, text in ipairs({
      '{"a":[],"b":"[] , {} 12345678901234567890"}', '{"a":"\\"[]","b":[]}', '{"a":"\\\\","b":[],"c":"[]"}',
      '{"[]":[],"k\\"[]":{}}',
    }) do
      assert.equal(text, encode(decode(text)))
    end
  end)

  it("prints whole numbers without a fraction", function()
    local usage = decode('{"total_tokens":35,"cost":0.5,"big":1e2}')
    assert.equal("35", tostring(usage.total_tokens))
    assert.equal("0.5", tostring(usage.cost))
    assert.equal("100", tostring(usage.big))
    if support.has_integers then assert.equal("integer", math.type(usage.total_tokens)) end
  end)

  it("keeps integers beyond 2^53 exactly where Lua has them", function()
    for _, digits in ipairs({
      "9007199254740993", "-9007199254740993", "1234567890123456789", "9223372036854775807", "-9223372036854775808",
    }) do
      local list = decode("[" .. digits .. "]")
      if support.has_integers then
        assert.equal("[" .. digits .. "]", encode(list))
      else
        assert.is_number(list[1])
        assert.equal("[1]", (fault(list)))
      end
    end
  end)

  it("reads an integer that no Lua holds as a number, which cannot be sent on by mistake", function()
    local list = decode('[9223372036854775808, 1e300, "9223372036854775808"]')
    assert.equal(2 ^ 63, list[1])
    assert.equal(1e300, list[2])
    assert.equal("9223372036854775808", list[3])
    assert.equal("[1]", (fault(list)))
  end)

  it("joins surrogate pairs and puts U+FFFD for half of one", function()
    assert.equal("\240\159\152\128", decode('["\\ud83d\\ude00"]')[1])
    assert.equal("a\239\191\189b", decode('["a\\ud83db"]')[1])
    assert.equal("\239\191\189\239\191\189", decode('["\\ude00\\ud83d"]')[1])
    assert.equal("\239\191\189\240\159\152\128", decode('["\\uD83D\\uD83D\\uDE00"]')[1])
    assert.same({ ["\239\191\189"] = 1 }, decode('{"\\ud800":1}'))
    assert.equal("\\ud83d", decode('["\\\\ud83d"]')[1])
    assert.equal("\\\239\191\189", decode('["\\\\\\ud83d"]')[1])
  end)

  it("lets bytes that are no UTF-8 through", function()
    assert.equal("a\255\254b", decode('["a\255\254b"]')[1])
  end)

  it("ignores a byte order mark", function()
    assert.same({ 1 }, decode("\239\187\191[1]"))
  end)

  it("says what is wrong with what is no JSON", function()
    for _, text in ipairs({
      "", " ", "{", "[1,]", '{"a"}', "[1] [2]", "NaN", "[Infinity]", "nul", '"a', "{'a':1}", "0x10",
    }) do
      local value, message = decode(text)
      assert.is_nil(value, text)
      assert.is_string(message, text)
      assert.not_matches("json%.lua", message)
    end
    local value, message = decode(nil)
    assert.is_nil(value)
    assert.matches("expected text, got nil", message)
  end)

  it("stops at nesting that has no end", function()
    assert.is_table(decode(("["):rep(900) .. ("]"):rep(900)))
    local value, message = decode(("["):rep(100000))
    assert.is_nil(value)
    assert.is_string(message)
    assert.is_nil((decode(('{"a":'):rep(100000))))
  end)
end)

describe("encoding", function()
  it("writes an empty table as a list where the API has one, and as an object elsewhere", function()
    assert.equal('{"a":{},"tools":[]}', encode({ a = {}, tools = {} }))
    for _, key in ipairs({
      "messages", "tools", "tool_calls", "stop", "input", "required", "enum", "anyOf", "oneOf", "allOf",
    }) do
      assert.equal('{"' .. key .. '":[]}', encode({ [key] = {} }))
    end
    assert.equal('{"a":[]}', encode({ a = llm.array({}) }))
    assert.equal('{"a":[]}', encode({ a = llm.array() }))
    assert.equal("{}", encode({}))
  end)

  it("knows that a property may have any name", function()
    local schema = { properties = { input = {}, enum = { enum = {} } }, required = {} }
    assert.equal('{"properties":{"enum":{"enum":[]},"input":{}},"required":[]}', encode(schema))
  end)

  it("sends null for llm.null and leaves nil out", function()
    assert.equal('{"a":null}', encode({ a = llm.null, b = nil }))
    assert.equal("[1,null]", encode({ 1, llm.null }))
  end)

  it("writes numbers shortly and exactly", function()
    for text, number in pairs({
      ["0"] = 0, ["-1"] = -1, ["0.1"] = 0.1, ["0.7"] = 0.7, ["1"] = 1.0, ["100000"] = 1e5, ["-0.5"] = -0.5,
      ["0.30000000000000004"] = 0.1 + 0.2, ["9007199254740991"] = 2 ^ 53 - 1, ["3"] = 6 / 2,
    }) do
      assert.equal("[" .. text .. "]", encode({ number }))
    end
    for _, number in ipairs({ 1e-7, 5e-324, 1.7976931348623157e-300, 1 / 3, 123456789.123456789 }) do
      assert.equal(number, decode(encode({ number }))[1])
    end
  end)

  it("refuses a float from 2^53 on, which may stand for a neighbour of what was meant", function()
    assert.equal("a", (fault({ a = 2 ^ 53 })))
    assert.equal("a", (fault({ a = -2 ^ 53 })))
    assert.equal("a", (fault({ a = 1e300 })))
  end)

  it("writes text as it is, but for what JSON escapes", function()
    assert.equal('["a/b"]', encode({ "a/b" }))
    for _, text in ipairs({ "a/b\\/c", "\\u002f", '"', "\0\1\31\127", "\n\r\t\8\12", "\195\188\226\130\172", "/" }) do
      assert.equal(text, decode(encode({ text }))[1])
    end
  end)

  it("names the path of what cannot be sent", function()
    assert.equal("a.b[2]", (fault({ a = { b = { 1, 0 / 0 } } })))
    assert.equal("a", (fault({ a = math.huge })))
    assert.equal("a", (fault({ a = -math.huge })))
    assert.equal("tools[1].run", (fault({ tools = { { run = print } } })))
    assert.equal("a", (fault({ a = coroutine.create(function() end) })))
    assert.equal('["a b"]', (fault({ ["a b"] = print })))
    assert.equal("", (fault(print)))
    assert.equal("a", (fault({ a = { [true] = 1 } })))
    assert.equal("a", (fault({ a = { 1, x = 2 } })))
    assert.equal("a", (fault({ a = { [1.5] = 1 } })))
  end)

  it("tells a list with a hole, and a number that is a key", function()
    local path, message = fault({ a = { 1, nil, 3 } })
    assert.equal("a", path)
    assert.matches("hole at 2", message)
    path, message = fault({ logit_bias = { [50256] = -100 } })
    assert.equal("logit_bias", path)
    assert.matches('write %["50256"%]', message)
  end)

  it("refuses a table inside itself, and takes one that is used twice", function()
    local loop = { name = "x" }
    loop.inner = { loop }
    local path, message = fault(loop)
    assert.equal("inner[1]", path)
    assert.matches("contains itself", message)
    local twice = { 1 }
    assert.equal('{"a":[1],"b":[1]}', encode({ a = twice, b = twice }))
  end)

  it("refuses what is nested too deep instead of running out of stack", function()
    local deep = {}
    for _ = 1, 100000 do deep = { deep } end
    local _, message = fault(deep)
    assert.matches("nested deeper", message)
  end)

  it("writes the same value always as the same text", function()
    local first = encode({ a = 1, b = 2, c = 3, d = { e = 4, f = 5 } })
    assert.equal(first, encode({ d = { f = 5, e = 4 }, c = 3, b = 2, a = 1 }))
  end)
end)

describe("JSON", function()
  local function random_value(depth)
    local kind = math.random(depth > 4 and 4 or 6)
    if kind == 1 then return math.random(-1000, 1000) end
    if kind == 2 then return math.random() * 10 ^ math.random(-5, 5) end
    if kind == 3 then return math.random() < 0.5 end
    local t = {}
    if kind == 4 then
      for i = 1, math.random(0, 12) do t[i] = string.char(math.random(0, 127)) end
      return table.concat(t)
    end
    for i = 1, math.random(0, 4) do t[kind == 5 and i or "k" .. i] = random_value(depth + 1) end
    return t
  end

  it("brings any value back", function()
    for seed = 1, 300 do
      math.randomseed(seed)
      local value = { random_value(0) }
      assert.same(value, decode(assert(encode(value))))
      assert.equal(encode(value), encode(decode(encode(value))))
    end
  end)

  it("leaves the host's own cjson alone, and is left alone by it", function()
    cjson.encode_max_depth(3)
    cjson.decode_max_depth(3)
    assert.equal("[[[[[1]]]]]", encode(decode("[[[[[1]]]]]")))
    cjson.encode_max_depth(1000)
    cjson.decode_max_depth(1000)
    assert.equal(cjson.null, cjson.decode("[null]")[1])
    assert.is_nil(getmetatable(cjson.decode("{}")))
  end)
end)
