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

  it("finds the end of a text, and what is escaped in it, wherever that is", function()
    local function check(n, at)
      local before, behind = ("x"):rep(at), ("y"):rep(n - at)
      assert.same({ before, behind }, decode(('["%s","%s"]'):format(before, behind)))
      assert.same({ before .. '"' .. behind }, decode(('["%s\\"%s"]'):format(before, behind)))
      local _, message = decode(('["%s\0%s"]'):format(before, behind))
      assert.equal(("a NUL byte in a text at byte %d"):format(at + 3), message)
    end
    for n = 0, 2000, 50 do
      for at = 0, n, 37 do check(n, at) end
    end
    for at = 600, 700 do check(1300, at) end
  end)

  it("lets bytes that are no UTF-8 through", function()
    assert.equal("a\255\254b", decode('["a\255\254b"]')[1])
  end)

  it("ignores a byte order mark", function()
    assert.same({ 1 }, decode("\239\187\191[1]"))
  end)

  it("says what is wrong with what is no JSON", function()
    for _, text in ipairs({
      "", " ", "{", "[1,]", '{"a"}', "[1] [2]", "nul", '"a', "{'a':1}", "0x10",
    }) do
      local value, message = decode(text)
      assert.is_nil(value, text)
      assert.is_string(message, text)
      assert.not_matches("%.lua", message)
    end
    assert.same({ n = 2, nil, "expected ',' or ']' at byte 4" }, { n = 2, decode("[1 2]") })
    assert.same({ n = 2, nil, "the text ends too early at byte 2" }, { n = 2, decode("[") })
    local value, message = decode(nil)
    assert.is_nil(value)
    assert.matches("expected text, got nil", message)
  end)

  -- Cases as JSONTestSuite has them: y_ must be read, n_ must not.
  local ACCEPTED = {
    "[]", "[[]   ]", '[""]', "[1E+2]", "[0e+1]", "[0e1]", "[ 4]", "[-0]", "[-123]", "[123.456e-7]", "[1E22]", "[1e-2]",
    '{"asd":"sdf", "dfg":"fgh"}', '{"":0}', '{"foo\\u0000bar": 42}', '{"a":[]}', '{"title":"\\u041f"}', "[\n]",
    '["\\u0060\\u012a\\u12AB"]', '["\\"\\\\\\/\\b\\f\\n\\r\\t"]', '["\\\\u0000"]', '["\\uDBFF\\uDFFF"]', '" "', "-0.1",
    "true", "false",
    '[[1],{"a":{}}]', " [1] ", "\t1\r\n", '["\127"]', '"\\u0000"', "[1,null,null,null,2]",
  }
  local REFUSED = {
    "[1 true]", "[a\229]", '["": 1]', '[""],', "[,1]", "[1,,2]", '["x"]]', '["",]', '["x"', "[x", "[3[4]]", "[,]",
    "[-]", "[*]",
    '["a",\n4\n,1,', "[1,\n1\n,1", '[{}', "[fals]", "[nul]", "[tru]", "[++1234]", "[+1]", "[+Inf]", "[-01]",
    "[-1.0.]", "[-2.]", "[-nan]", "[.-1]", "[.2e-3]", "[0.1.2]", "[0.3e+]", "[0.3e]", "[0.e1]", "[0E]", "[0E+]",
    "[1.0e+]", "[1.0e-]", "[1.0e]", "[1 000.0]", "[1eE2]", "[2.e+3]", "[2.e-3]", "[2.e3]", "[9.e+]", "[Inf]", "[1+2]",
    "[0x1]", "[0x42]", "[- 1]", "[-012]", "[-.123]", "[1.]", "[.123]", "[1.2a-3]", "[012]", '["x", truth]',
    '{[: "x"}\n', '{"x", null}', '{"x"::"b"}', '{"a":"a" 123}', "{key: 'value'}", '{"a" b}', '{:"b"}', '{"a"', '{"a":',
    "{1:1}", "{9999E9999:1}", "{null:null}", '{"id":0,,,,,}', "{'a':0}", '{"id":0,}', '{"a":"b"}/**/', '{"a":"b"}#',
    '{"a":"a",,"c":"d"}', '{a: "b"}', '{"a":"a', '{ "foo" : "bar", "a" }', '{"a":"b"}#{}', '["\\uD800\\"]',
    '["\\uD800\\u1"]', '["\\uD800\\u1x"]', "[\195\169]", '["a\0a"]', '["\\x00"]', '["\\\\\\"]', '["\\\t"]', '["\\a"]',
    '["\\u00A"]', '["\\uD834\\Dd"]', '["\\uqqqq"]', "[\\n]", '"', "['single quote']", "abc", '["\\', "<.>", "[<null>]",
    "[1]x", "[1]]", "[True]", "1]", '{"x": true,', "[][]", "]", "\239\187{}", "\239\187\191", "[", '{"":', "[\12]",
    '[\226\129\160]', "\0", "[1]\0", "*", '{"a":"b"}/', "1 2", '{"a":1 "b":2}', "{}}", '["\\u{41}"]', "[nan]", "-NaN",
    "[-Inf]", "Infinite", "[-Infinit]",
  }

  it("takes what is JSON and refuses what is not", function()
    for _, text in ipairs(ACCEPTED) do assert.is_nil(select(2, decode(text)), text) end
    for _, text in ipairs(REFUSED) do
      local value, message = decode(text)
      assert.is_nil(value, text)
      assert.matches(" at byte %d+$", message, text)
    end
  end)

  it("takes no beginning of a text for the whole", function()
    local text = '{"a":[1.5e+3,-2,"x\\u00e9\\n",true,false,null,{"b":[]}],"c":"\240\159\152\128"}'
    assert.is_table(decode(text))
    for n = 0, #text - 1 do assert.is_nil((decode(text:sub(1, n)))) end
  end)

  it("reads NaN and Infinity, as Python writes them", function()
    local list = decode("[NaN,Infinity,-Infinity,1e999]")
    assert.is_true(list[1] ~= list[1])
    assert.same({ math.huge, -math.huge, math.huge }, { list[2], list[3], list[4] })
  end)

  it("reads the double that is nearest", function()
    for text, number in pairs({
      ["0.1"] = 0.1, ["-0.006929283495992422"] = -0.006929283495992422,
      ["1.7976931348623157e308"] = 1.7976931348623157e308,
      ["5e-324"] = 5e-324, ["2.4703282292062327e-324"] = 0, ["2.4703282292062328e-324"] = 5e-324,
      ["9007199254740993.0"] = 9007199254740992, ["9007199254740993.00000000000000000000000001"] = 9007199254740994,
      ["0.000000000000000000000000000000000001e36"] = 1, ["123456789012345678901234567890e-30"] = 0.12345678901234568,
      ["1e23"] = 1e23, ["8.5e22"] = 8.5e22, ["1e-7"] = 1e-7, ["0e99999999999"] = 0, ["1e-99999999999"] = 0,
      [("1"):rep(400) .. "e-399"] = 1.1111111111111112, ["0." .. ("0"):rep(400) .. "1e401"] = 1,
      ["1.00000000000000011102230246251565"] = 1, ["1.00000000000000011102230246251566"] = 1.0000000000000002,
    }) do
      assert.equal(number, decode(text), text)
    end
  end)

  it("reads what any double is printed as #long", function()
    math.randomseed(7)
    for _ = 1, 3000 do
      local number = (math.random() - 0.5) * 10 ^ math.random(-30, 30)
      for _, form in ipairs({ "%.17g", "%.16e", "%.9g", "%.25f" }) do
        local text = form:format(number)
        assert.equal(tonumber(text), decode(text), text)
      end
    end
  end)

  it("reads digits that come in eights, and takes no neighbour of a digit for one", function()
    for n = 1, 18 do
      local digits = ("123456789012345678"):sub(1, n)
      assert.same({ tonumber("0." .. digits), tonumber("5." .. digits .. "e2") },
        decode(("[0.%s,5.%se2]"):format(digits, digits)))
      assert.equal(tonumber("-7." .. digits), decode("-7." .. digits))
      for at = 1, n do
        for _, wrong in ipairs({ "/", ":", "?", "0x", "\177", "p", "@" }) do
          local _, fault_of_it = decode(("[0.%s%s%s]"):format(digits:sub(1, at), wrong, digits:sub(at + 1)))
          assert.is_string(fault_of_it)
        end
      end
    end
  end)

  it("makes lists of any number of numbers, and of numbers beside other values", function()
    for _, n in ipairs({ 1, 15, 16, 17, 100, 3840, 3841, 9000 }) do
      local numbers, texts = {}, {}
      for i = 1, n do
        numbers[i] = i % 3 == 0 and i or i % 3 == 1 and i + 0.5 or -i
        texts[i] = tostring(numbers[i])
      end
      assert.same(numbers, decode("[" .. table.concat(texts, ",") .. "]"))
      assert.same({ numbers, { a = numbers } }, decode(('[[%s], {"a": [%s]}]'):format(table.concat(texts, " , "),
        table.concat(texts, ","))))
      for at, other in pairs({ [1] = "null", [n] = '"text"', [math.ceil(n / 2)] = "9007199254740993" }) do
        local was = texts[at]
        texts[at] = other
        local list = decode("[" .. table.concat(texts, ",") .. "]")
        assert.same({ n, other == "null" and llm.null or decode(other) }, { #list, list[at] })
        texts[at] = was
      end
    end
    if math.type then
      local list = decode("[" .. ("1,2.5,3.0,"):rep(10) .. "4]")
      assert.same({ "integer", "float", "integer" }, { math.type(list[1]), math.type(list[2]), math.type(list[30]) })
    end
  end)

  it("knows no locale", function()
    local before = os.setlocale(nil, "numeric")
    for _, name in ipairs({ "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8" }) do
      if os.setlocale(name, "numeric") then break end
    end
    local number, long, text = decode("1.5"), decode("1.2345678901234567890123e-5"), encode({ 0.25, 1e-7 })
    os.setlocale(before, "numeric")
    assert.equal(1.5, number)
    assert.equal(1.2345678901234567e-5, long)
    assert.equal("[0.25,1e-07]", text)
  end)

  it("lets the last of several members with one key count, a null too", function()
    assert.same({ a = 2 }, decode('{"a":1,"a":2}'))
    assert.same({ a = 1 }, decode('{"a":null,"a":1}'))
    assert.is_nil(next(decode('{"a":1,"a":null}')))
    assert.same({ b = 1 }, decode('{"a":1,"b":1,"\\u0061":null}'))
    assert.equal('{"tools":{}}', encode(decode('{"tools":{"a":1,"a":null}}')))
    local members = {}
    for i = 1, 300 do members[i] = ('"k%d":%d,"k%d":null'):format(i % 7, i, (i + 1) % 7) end
    local object = decode("{" .. table.concat(members, ",") .. ',"k3":5}')
    assert.equal(5, object.k3)
  end)

  it("keeps half a character at the edge of a text where that is asked for", function()
    local list, _, halves = decode('["a\\ud83d","\\ude00b","c\\ud83dd","\\ud83d\\ude00"]', true)
    assert.is_true(halves)
    assert.same({ "a\237\160\189", "\237\184\128b", "c\239\191\189d", "\240\159\152\128" }, list)
    assert.equal(1, select("#", decode('["\\ud83d\\ude00"]', true)))
    assert.equal(1, select("#", decode('{"\\ud83d":1}', true)))
  end)

  it("may be called by a finalizer while it works", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    local text, deeper = '{"a":["\\n",{"b":[1.5,null]}],"c":{}}', 0
    for _ = 1, 2000 do
      setmetatable({}, { __gc = function()
        deeper = deeper + 1
        assert(encode(decode(text)) == '{"a":["\\n",{"b":[1.5,null]}],"c":{}}')
      end })
      assert.equal(text, encode(decode(text)))
    end
    collectgarbage()
    assert.is_true(deeper >= 2000)
  end)

  -- Bytes of Lua for a byte of text; the garbage before is no part of it.
  local function cost(text)
    collectgarbage()
    collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    local value = decode(text)
    local grown = (collectgarbage("count") - before) * 1024
    collectgarbage("restart")
    return grown / #text, value
  end

  it("needs little more than what the values need, whatever the text #long", function()
    local empties = cost("[" .. ("[],"):rep(200000) .. "[]]")
    assert.is_true(empties < 30, ("%.1f bytes a byte for empty lists"):format(empties))
    local ones = cost("[" .. ("1,"):rep(200000) .. "1]")
    assert.is_true(ones < 9, ("%.1f bytes a byte for small numbers"):format(ones))
    for _, member in ipairs({ '"":1,', '"":null,', '"a":[],' }) do
      local repeated = cost("{" .. member:rep(200000) .. '"b":2}')
      assert.is_true(repeated < 30, ("%.1f bytes a byte for %s"):format(repeated, member))
    end
    local nulls, value = cost("[" .. ('{"a":null,"b":null,"c":null},'):rep(20000) .. "1]")
    assert.is_nil(next(value[1]))
    assert.is_true(nulls < 12, ("%.1f bytes a byte for nulls"):format(nulls))
  end)

  it("takes time linear in the text, whatever it is #timed", function()
    for _, piece in ipairs({
      "[],", "1,", '"a\\n",', "1.5e-300,", ("1"):rep(900) .. ",", '{"a":1,"a":null},', '"\\ud83d",',
    }) do
      local function seconds(n)
        local text = "[" .. piece:rep(math.ceil(n / #piece)) .. "0]"
        collectgarbage()
        local started = os.clock()
        assert(decode(text))
        return os.clock() - started
      end
      seconds(1000)
      local small, large = seconds(100000), seconds(800000)
      assert.is_true(large < 30 * small + 0.05, ("%s: %g s for 8 times what took %g s"):format(piece, large, small))
    end
  end)

  it("stops at nesting that has no end", function()
    assert.is_table(decode(("["):rep(1000) .. ("]"):rep(1000)))
    assert.is_nil((decode(("["):rep(1001) .. ("]"):rep(1001))))
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

  it("takes an empty content for a list of parts", function()
    assert.equal('{"content":[]}', encode({ content = {} }))
    assert.equal('{"properties":{"content":{}}}', encode({ properties = { content = {} } }))
  end)

  it("knows lua-cjson's marks, where it has any", function()
    assert.equal("[null]", encode({ cjson.null }))
    if cjson.empty_array then assert.equal("[[]]", encode({ cjson.empty_array })) end
    if cjson.array_mt then assert.equal("[[]]", encode({ setmetatable({}, cjson.array_mt) })) end
  end)

  it("knows the marks of a lua-cjson that is loaded later, and loads none itself", function()
    local program = [[
      local json = require "llm_gateway.json"
      local array, other, list = {}, {}, io.stdout
      print(json.encode({ setmetatable({}, array) }), package.loaded.cjson, package.loaded["cjson.safe"])
      package.loaded["cjson.safe"] = { array_mt = array, empty_array = list }
      print(json.encode({ setmetatable({}, array), list, setmetatable({}, other) }))
    ]]
    assert.equal("[{}]\tnil\tnil\n[[],[],{}]\n", support.run(program))
  end)

  it("knows Neovim's null and its empty dictionary, and needs no lua-cjson", function()
    local program = [[
      local NIL, mark = io.stdout, {}
      vim = { NIL = NIL, empty_dict = function() return setmetatable({}, mark) end }
      package.preload.cjson = function() error("no cjson") end
      local json = require "llm_gateway.json"
      local value = { a = NIL, tools = vim.empty_dict(), b = json.null }
      io.write(json.encode(value), json.encode(json.decode('[null,[],{}]')))
    ]]
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(program)
    file:close()
    local pipe = assert(io.popen((os.getenv("SPEC_LUA") or "lua5.4") .. " " .. path))
    local said = pipe:read("*a")
    pipe:close()
    os.remove(path)
    assert.equal('{"a":null,"b":null,"tools":{}}[null,[],{}]', said)
  end)

  it("refuses text that is no UTF-8, naming the byte", function()
    local path, message = fault({ messages = { { content = "abc\195\169\255d" } } })
    assert.equal("messages[1].content", path)
    assert.equal("byte 6 is no UTF-8", message)
    for _, text in ipairs({
      "\128", "\192\128", "\193\191", "\194", "\224\159\128", "\237\160\128", "\240\143\128\128", "\244\144\128\128",
      "\245\128\128\128", "\226\130", "\226\130x", "\240\159\152", "\254", "\255",
    }) do
      path, message = fault({ ("x"):rep(20) .. text .. ("y"):rep(20) })
      assert.equal("[1]", path)
      assert.equal("byte 21 is no UTF-8", message)
      path, message = fault({ a = { [text] = 1 } })
      assert.equal("a", path)
      assert.equal("byte 1 of a key is no UTF-8", message)
    end
    for _, text in ipairs({ "\194\128", "\223\191", "\224\160\128", "\237\159\191", "\238\128\128", "\239\191\191",
      "\240\144\128\128", "\244\143\191\191" }) do
      assert.equal('["' .. text:rep(9) .. '"]', encode({ text:rep(9) }))
    end
  end)

  it("escapes each byte that must be, wherever it stands", function()
    for byte = 0, 127 do
      for before = 0, 9 do
        local text = ("x"):rep(before) .. string.char(byte) .. ("y"):rep(9)
        local json = encode({ text })
        assert.equal(text, decode(json)[1])
        assert.equal(text, cjson.decode(json)[1])
        assert.not_matches("[%c\127]", json)
      end
    end
  end)

  it("sorts the keys of an object of any size", function()
    for _, n in ipairs({ 2, 31, 32, 33, 34, 500 }) do
      local object, wanted = {}, {}
      for i = 1, n do
        object["k" .. i * 7919 % n] = i
        wanted[i] = ("k%d"):format(i * 7919 % n)
      end
      table.sort(wanted)
      for i, key in ipairs(wanted) do wanted[i] = ('"%s":%d'):format(key, object[key]) end
      if #wanted == n then assert.equal("{" .. table.concat(wanted, ",") .. "}", encode(object)) end
    end
    assert.equal('{"":1,"a":2,"a\\u0000":3,"aa":4}', encode({ aa = 4, ["a\0"] = 3, a = 2, [""] = 1 }))
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
    for _, digits in ipairs({ "9007199254740993.0", "9007199254740992.0", "9.007199254740993e15" }) do
      assert.equal("a", (fault({ a = decode(digits) })), digits)
    end
    assert.equal('{"a":9007199254740991}', encode({ a = decode("9007199254740991.0") }))
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
    assert.equal('a["b\\n"].c[1][2]', (fault({ a = { ["b\n"] = { c = { { 1, print } } } } })))
    local many = {}
    for i = 1, 100 do many["k" .. i] = i end
    many.k50 = { print }
    assert.equal("many.k50[1]", (fault({ many = many })))
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
