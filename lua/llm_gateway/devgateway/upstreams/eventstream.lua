-- devgateway/upstreams/eventstream.lua: messages of application/vnd.amazon.eventstream, in which Bedrock streams.
-- Leans on nothing: its CRC-32 is plain arithmetic, which every Lua shares. Slow, and meant for short messages.

local CRC_POLYNOMIAL = 0xEDB88320
local TEXT = 7 -- the type of a header's value

local function xor(a, b)
  local result, bit = 0, 1
  while a > 0 or b > 0 do
    local x, y = a % 2, b % 2
    if x ~= y then result = result + bit end
    a, b, bit = (a - x) / 2, (b - y) / 2, bit * 2
  end
  return result
end

local function remainder_of(byte)
  local value = byte
  for _ = 1, 8 do
    local lowest = value % 2
    value = (value - lowest) / 2
    if lowest == 1 then value = xor(value, CRC_POLYNOMIAL) end
  end
  return value
end

local remainders = {}
for byte = 0, 255 do remainders[byte] = remainder_of(byte) end

local function crc32(bytes)
  local crc = 0xFFFFFFFF
  for i = 1, #bytes do
    local low = crc % 256
    crc = xor(remainders[xor(low, bytes:byte(i))], (crc - low) / 256)
  end
  return xor(crc, 0xFFFFFFFF)
end

-- A number's bytes, the highest first.
local function big_endian(number, count)
  local bytes = {}
  for i = count, 1, -1 do
    local low = number % 256
    bytes[i] = string.char(low)
    number = (number - low) / 256
  end
  return table.concat(bytes)
end

local function header_bytes(headers)
  local list = {}
  for i, header in ipairs(headers) do
    local name, value = header[1], header[2]
    list[i] = string.char(#name) .. name .. string.char(TEXT) .. big_endian(#value, 2) .. value
  end
  return table.concat(list)
end

local M = {}

-- A message's bytes. headers: a list of {name, value}, both texts of at most 255 bytes.
function M.message(headers, payload)
  local head = header_bytes(headers)
  local prelude = big_endian(#head + #payload + 16, 4) .. big_endian(#head, 4)
  local message = prelude .. big_endian(crc32(prelude), 4) .. head .. payload
  return message .. big_endian(crc32(message), 4)
end

return M
