-- Numbers out of base64, as embeddings of encoding_format "base64" have them.
local core = require "llm_gateway.core"
local support = require "spec.support"

local unpack = table.unpack or unpack -- luacheck: read globals unpack

describe("floats", function()
  local gateway = support.gateway()

  -- The characters of bytes, one bit after another.
  local function encoded(bytes, digits, pad)
    local bits, text = {}, {}
    for i = 1, #bytes do
      local byte = bytes:byte(i)
      for bit = 7, 0, -1 do bits[#bits + 1] = math.floor(byte / 2 ^ bit) % 2 end
    end
    for at = 1, #bits, 6 do
      local digit = 0
      for bit = at, at + 5 do digit = digit * 2 + (bits[bit] or 0) end
      text[#text + 1] = digits:sub(digit + 1, digit + 1)
    end
    return table.concat(text) .. (pad and ("="):rep(-#text % 4) or "")
  end

  local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
  local STANDARD, FOR_URLS = LETTERS .. "+/", LETTERS .. "-_"

  -- Numbers and their four bytes.
  local KNOWN = {
    { 0, "\0\0\0\0" }, { 1, "\0\0\128\63" }, { -2.5, "\0\0\32\192" }, { 13421773 / 2 ^ 27, "\205\204\204\61" },
    { 2 ^ -149, "\1\0\0\0" },
    { math.huge, "\0\0\128\127" }, { -8388609, "\1\0\0\203" }, { 16777215, "\255\255\127\75" },
    { -1.9999998807907104, "\255\255\255\191" },
  }

  local function sample(n)
    local numbers, bytes = {}, {}
    for i = 1, n do
      local known = KNOWN[i % #KNOWN + 1]
      numbers[i], bytes[i] = known[1], known[2]
    end
    return numbers, table.concat(bytes)
  end

  it("reads any count, padded or not, in both alphabets", function()
    for n = 0, 40 do
      local numbers, bytes = sample(n)
      for _, digits in ipairs({ STANDARD, FOR_URLS }) do
        assert.same(numbers, core.floats(encoded(bytes, digits, true)))
        assert.same(numbers, core.floats(encoded(bytes, digits)))
      end
    end
  end)

  it("reads more than a stack holds", function()
    for _, n in ipairs({ 6144, 6145, 20000 }) do
      local numbers, bytes = sample(n)
      assert.same(numbers, core.floats(encoded(bytes, STANDARD, true)))
    end
  end)

  it("refuses what is no base64, wherever it is", function()
    for _, n in ipairs({ 1, 3, 4, 40, 7000 }) do
      local _, bytes = sample(n)
      local text = encoded(bytes, STANDARD)
      local step = math.ceil(#text / 40)
      for at = 1, #text, step do
        for _, wrong in ipairs({ "!", "\0", "=", "\255", "." }) do
          local broken = text:sub(1, at - 1) .. wrong .. text:sub(at + 1)
          if at < #text or wrong ~= "=" then assert.is_nil(core.floats(broken)) end
        end
      end
    end
  end)

  it("refuses what is not whole floats", function()
    for n = 0, 64 do
      local list = core.floats(("A"):rep(n))
      local is_whole = n % 4 ~= 1 and math.floor(n * 3 / 4) % 4 == 0
      assert.same({ n, is_whole and math.floor(n * 3 / 16) or nil }, { n, list and #list })
    end
  end)

  it("makes lists of embeddings; what is no vector stays as it is", function()
    local few, few_bytes = sample(3)
    local many, many_bytes = sample(7000)
    local escaped = encoded(("\255"):rep(8), STANDARD, true):gsub("/", "\\/")
    local texts = { encoded(few_bytes, STANDARD, true), encoded(many_bytes, STANDARD, true), "", "no vector", escaped }
    local body = '{"data":[{"embedding":"' .. table.concat(texts, '"},{"embedding":"') .. '"}]}'
    local reply = assert(support.answering(gateway, body):embeddings({ input = "a cat", encoding_format = "base64" }))
    local found = {}
    for i, item in ipairs(reply.data) do found[i] = item.embedding end
    assert.same({ few, many, {}, "no vector" }, { unpack(found, 1, 4) })
    assert.same({ 2, "number" }, { #found[5], type(found[5][1]) }) -- they are no numbers: NaN
  end)

  it("takes no other text for an embedding", function()
    local one = encoded("\0\0\128\63", STANDARD, true)
    local form = '{"embedding":"%s","data":[{"text":"%s","of":{"embedding":"%s"},"embedding":"%s"},"%s"]}'
    local text = form:format(one, one, one, one, one)
    local function other(vector)
      return { embedding = one, data = { { text = one, of = { embedding = one }, embedding = vector }, one } }
    end
    assert.same(other({ 1 }), core.json_decode(text, false, true))
    assert.same(other(one), core.json_decode(text))
    assert.equal("embedding", core.json_decode('[["embedding"]]', false, true)[1][1])
    assert.equal(one, core.json_decode(('[["embedding","%s"]]'):format(one), false, true)[1][2])
    assert.equal(one, core.json_decode(('[[["embedding","%s"]]]'):format(one), false, true)[1][1][2])
  end)
end)
