-- JSON in pieces: whatever the cuts, the same value in the end, and on the way nothing that is not final.
local json = require "llm_gateway.json"

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b or (a ~= a and b ~= b) end
  if json.is_marked_list(a) ~= json.is_marked_list(b) then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- Whether `later` is `before` with more in it: texts that go on, tables that have more; and closed values as they were.
local function grown(before, later)
  if before == nil then return true end
  if type(before) == "string" then return type(later) == "string" and later:sub(1, #before) == before end
  if type(before) ~= "table" then return same(before, later) end
  for key, value in pairs(before) do
    if not grown(value, later[key]) then return false end
  end
  return true
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local t = {}
  for key, item in pairs(value) do t[key] = copy(item) end
  return t
end

local TEXTS = {
  "{}", "[]", ' [ ] ', '{"a":{}}', '[[],{}]', "12", "-1.5e3", "true", "null", '"x"', '""', "[null]", '{"a":null}',
  "[1,2,3]",
  '{"a":1,"b":[true,false,null],"c":"text","d":{"e":[{}]}}', '\239\187\191{"a":1}', "[NaN,-Infinity,Infinity]",
  '{"k\\u00e9y":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000","z":"\240\159\152\128\195\169\226\130\172"}',
  '["\\ud83d\\ude00","a\\ud83d","\\ude00b","\\ud83d\\ud83d\\ude00","\\ud83dx","\\ud83d\\n","\\ud83d\\u0041"]',
  '{"a":1,"a":2}', '{"a":1,"a":null}', '{"a":[1],"a":{"b":null}}', "[9007199254740993,1.0,0.1,1e22,-0]",
  '["\255\254","\195","\240\159"]', ("["):rep(1000) .. ("]"):rep(1000), '{"":{"":""}}', "[\n1\t,\r2 ]", "[[[1],2],3]",
}

local WRONG = {
  "[1,]", "{,", '{"a"}', '{"a":1,}', "[1 2]", "tru]", "trux", "[nul]", "01", "1.", "-", "1e+",
  '"a\0', '"\\x', '"\\u12g', "{1", "]",
  "[1]]", "1 2", '{"a" 1}', "[}", "{]", "+1", "[-Inf]", "abcdefghi",
  "\239\187[", "\239x", ("["):rep(1001), "[1,,2]", "1true",
}

describe("JSON in pieces", function()
  local function finish(pieces)
    local parser = json.partial()
    for _, piece in ipairs(pieces) do
      local fed, message = parser:feed(piece)
      if not fed then return nil, message end
    end
    return parser:finish()
  end

  it("is the same value however it is cut", function()
    for _, text in ipairs(TEXTS) do
      local wanted = json.decode(text)
      if #text < 200 then
        for first = 0, #text do
          local pieces = { text:sub(1, first), text:sub(first + 1) }
          local value, message = finish(pieces)
          assert.is_nil(message, text)
          assert.is_true(same(wanted, value), text .. " cut at " .. first)
        end
      end
      local bytes = {}
      for at = 1, #text do bytes[at] = text:sub(at, at) end
      assert.is_true(same(wanted, (finish(bytes))), text .. " in bytes")
    end
  end)

  it("is written again as it was read", function()
    for _, text in ipairs({ "[]", "{}", '{"a":[],"b":{}}', '[[],{},[1],{"a":1}]', '{"tools":{}}' }) do
      assert.equal(text, json.encode(finish({ text })))
    end
  end)

  it("grows, and never shows what is not final", function()
    for _, text in ipairs(TEXTS) do
      if #text < 200 then
        local parser, before = json.partial(), nil
        local wanted = json.decode(text)
        for at = 1, #text do
          assert(parser:feed(text:sub(at, at)))
          local value = parser:value()
          if not text:find('"a":1,"a"', 1, true) and not text:find('"a":[1],"a"', 1, true) then
            assert.is_true(grown(before, value), text:sub(1, at))
            assert.is_true(grown(value, wanted), text:sub(1, at))
          end
          before = copy(value)
        end
      end
    end
  end)

  it("shows a text as far as it is whole characters", function()
    local parser, seen = json.partial(), {}
    for byte in ('{"t":"a\\n\\u00e9\\ud83d\\ude00\240\159\152\128\195\169","n":12,"m":3}'):gmatch(".") do
      parser:feed(byte)
      local value = parser:value() or {}
      seen[#seen + 1] = ("%s %s"):format(tostring(value.t), tostring(value.n))
    end
    local last, shown = nil, {}
    for _, line in ipairs(seen) do
      if line ~= last then shown[#shown + 1] = line end
      last = line
    end
    local smile = "\240\159\152\128"
    assert.same({
      "nil nil", " nil", "a nil", "a\n nil", "a\n\195\169 nil", "a\n\195\169" .. smile .. " nil",
      "a\n\195\169" .. smile .. smile .. " nil", "a\n\195\169" .. smile .. smile .. "\195\169 nil",
      "a\n\195\169" .. smile .. smile .. "\195\169 12",
    }, shown)
  end)

  it("gives the same tables each time, and says when the value is whole", function()
    local parser = json.partial()
    assert.same({ nil, false }, { parser:value() })
    assert.equal(parser, parser:feed('{"a":[1,'))
    local value, whole = parser:value()
    assert.same({ a = { 1 } }, value)
    assert.is_false(whole)
    local list = value.a
    parser:feed('2,"x')
    assert.equal(value, (parser:value()))
    assert.equal(list, value.a)
    assert.same({ 1, 2, "x" }, list)
    parser:feed('y"]} ')
    value, whole = parser:value()
    assert.same({ a = { 1, 2, "xy" } }, value)
    assert.is_true(whole)
    assert.equal(value, parser:finish())
  end)

  it("holds back a part of a long text until it is closed", function()
    local parser = json.partial()
    parser:feed('["' .. ("x"):rep(100000))
    assert.equal(100000, #parser:value()[1])
    parser:feed("y")
    assert.equal(100000, #parser:value()[1])
    parser:feed(("z"):rep(2000))
    assert.equal(102001, #parser:value()[1])
    parser:feed('w"')
    assert.equal(102002, #parser:value()[1])
  end)

  it("says what is wrong, and where, for good", function()
    for _, text in ipairs(WRONG) do
      local value, message = finish({ text })
      assert.is_nil(value, text)
      assert.matches(" at byte %d+$", message, text)
      for at = 1, #text < 100 and #text or 0 do
        local _, cut = finish({ text:sub(1, at), text:sub(at + 1) })
        assert.equal(message, cut, text)
      end
    end
    local parser = json.partial()
    assert.same({ nil, "expected a value at byte 2" }, { parser:feed("[x") })
    assert.same({ nil, "expected a value at byte 2" }, { parser:feed("1]") })
    assert.same({ nil, "expected a value at byte 2" }, { parser:finish() })
    assert.same({}, (parser:value()))
    assert.same({ nil, "the text ends too early at byte 4" }, { finish({ "[1," }) })
    assert.same({ nil, "the text ends too early at byte 1" }, { finish({}) })
  end)

  it("may be read while finalizers run", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    local parser = json.partial()
    parser:feed("[")
    for i = 1, 500 do
      setmetatable({}, { __gc = function() pcall(parser.feed, parser, "") pcall(parser.value, parser) end })
      parser:feed(('{"a":["%d",{}]},'):format(i))
      parser:value()
    end
    parser:feed("1]")
    assert.equal(501, #parser:finish())
  end)

  it("takes time linear in the text, looked at after each piece #timed", function()
    local function seconds(n, piece, text)
      local parser = json.partial()
      local started = os.clock()
      for at = 1, n, piece do
        parser:feed(text:sub(at, at + piece - 1))
        parser:value()
      end
      return os.clock() - started
    end
    for _, filler in ipairs({ "word ", "\\n", "\\ud83d\\ude00", '",{"a":[1,2.5,null]},"' }) do
      local text = '["' .. filler:rep(math.ceil(1000000 / #filler))
      seconds(10000, 20, text)
      local small, large = seconds(100000, 20, text), seconds(1000000, 20, text)
      assert.is_true(large < 25 * small + 0.05, ("%s: %g s for 10 times what took %g s"):format(filler, large, small))
    end
  end)
end)
