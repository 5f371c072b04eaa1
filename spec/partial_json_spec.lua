-- JSON in pieces: any cut gives the same value, nothing is shown that will not stay, and time is linear.
local json = require "llm_gateway.json"
local partial_json = require "llm_gateway.helpers.partial_json"

local TEXTS = {
  '{"a":[1,2.5,-3e2,true,false,null,"x\\n\\u00e4\\ud83d\\ude00 é 😀"],"b":{"c":{}},"d":[], "e":"","f":[[],[{}]]}',
  " [1]", '"abc"', '{"a":"\\ud83d"}', '{"a":"\\ud83dx"}', '{"k\\"ey":"v\\\\"}', "[]", "{}",
}

-- Every text of `value` is the beginning of the one in `whole`, at the same place.
local function is_part_of(value, whole)
  if type(value) == "string" then return whole:sub(1, #value) == value end
  if type(value) ~= "table" then return value == whole end
  for key, item in pairs(value) do
    if not is_part_of(item, whole[key]) then return false end
  end
  return true
end

describe("JSON in pieces", function()
  it("gives the same value wherever it is cut", function()
    for _, text in ipairs(TEXTS) do
      local whole = json.decode(text)
      for i = 0, #text do
        local parser = partial_json.new()
        assert(parser:feed(text:sub(1, i)))
        assert(parser:value() == nil or is_part_of(parser:value(), whole))
        assert(parser:feed(text:sub(i + 1)))
        assert.same(whole, parser:value())
      end
    end
  end)

  it("shows no half of a character", function()
    for _, text in ipairs(TEXTS) do
      local parser = partial_json.new()
      for i = 1, #text do
        assert(parser:feed(text:sub(i, i)))
        local shown = json.encode(parser:value())
        assert(not shown or json.decode(shown) ~= nil or shown == "null")
      end
      assert.same(json.decode(text), parser:value())
    end
  end)

  it("is refused where it is none, each time again", function()
    for _, text in ipairs({
      "{a", "[1,]", '{"a" 1', "[1}", '{"a":1]', "tru ", "[1 2]", "1 2", '{"a":"\\x"}', "[01]", ",",
    }) do
      local parser = partial_json.new()
      local ok, why = parser:feed(text)
      assert.is_nil(ok)
      assert.same(why, select(2, parser:feed("1")))
    end
  end)

  it("takes time linear in the text #timed", function()
    local function seconds(size)
      local text = '{"text":"' .. ("word "):rep(size / 5) .. '"}'
      local parser, started = partial_json.new(), os.clock()
      for i = 1, #text, 5 do
        parser:feed(text:sub(i, i + 4))
        parser:value()
      end
      return (os.clock() - started) / size
    end
    assert.is_true(seconds(1e6) < 4 * seconds(1e5))
  end)
end)
