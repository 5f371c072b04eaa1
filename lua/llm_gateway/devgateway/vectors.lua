-- devgateway/vectors.lua: embeddings by feature hashing: texts that share words or parts of words lie close.
-- Leans on base64, and on arithmetic that every Lua shares; little-endian float32 without string.pack.
-- Never remembers a text: the same text always gives the same vector.

local base64 = require("llm_gateway.http.base64")

local PRIME = 2147483647

local FILLERS = {}
for word in ("a an and are as at be but by for from has he her his i in is it its me my of on or our she "
  .. "that the their they this to was we were will with you your"):gmatch("%a+") do
  FILLERS[word] = true
end

local function hash(text)
  local value = 5381
  for index = 1, #text do value = (value * 33 + text:byte(index)) % PRIME end
  return value
end

local function add_feature(vector, dimensions, feature, weight)
  local value = hash(feature)
  local slot = value % dimensions + 1
  local sign = math.floor(value / dimensions) % 2 == 0 and 1 or -1
  vector[slot] = vector[slot] + sign * weight
end

local function add_word(vector, dimensions, word)
  local weight = FILLERS[word] and 0.1 or 1
  add_feature(vector, dimensions, "w:" .. word, 2 * weight)
  local padded = "<" .. word .. ">"
  for size = 3, 4 do
    for start = 1, #padded - size + 1 do
      add_feature(vector, dimensions, padded:sub(start, start + size - 1), 0.5 * weight)
    end
  end
end

-- Seven decimals are what float32 holds of numbers below one, and keep the JSON short.
local function normalise(vector)
  local sum = 0
  for index = 1, #vector do sum = sum + vector[index] ^ 2 end
  local length = sum > 0 and math.sqrt(sum) or 1
  for index = 1, #vector do vector[index] = math.floor(vector[index] / length * 1e7 + 0.5) / 1e7 end
  return vector
end

-- sign and exponent in the upper nine bits, 23 bits of fraction below: IEEE 754 by hand.
local function float_bytes(number)
  if number == 0 then return 0, 0, 0, 0 end
  local sign, exponent = number < 0 and 128 or 0, 127
  local fraction = math.abs(number)
  while fraction < 1 do fraction, exponent = fraction * 2, exponent - 1 end
  while fraction >= 2 do fraction, exponent = fraction / 2, exponent + 1 end
  local bits = math.floor((fraction - 1) * 2 ^ 23 + 0.5)
  if bits == 2 ^ 23 then bits, exponent = 0, exponent + 1 end
  return bits % 256, math.floor(bits / 256) % 256,
    exponent % 2 * 128 + math.floor(bits / 65536), sign + math.floor(exponent / 2)
end

local M = {}

-- The text's vector: `dimensions` numbers, of length 1.
function M.embed(text, dimensions)
  local vector = {}
  for index = 1, dimensions do vector[index] = 0 end
  for word in text:lower():gmatch("[%w\128-\255]+") do add_word(vector, dimensions, word) end
  return normalise(vector)
end

-- A list of numbers as base64 of little-endian float32.
function M.base64(vector)
  local bytes = {}
  for index = 1, #vector do
    bytes[index] = string.char(float_bytes(vector[index]))
  end
  return base64.encode(table.concat(bytes))
end

return M
