-- http/base64.lua: bytes as text (RFC 4648, section 4).
-- Leans on nothing. Lists of floats are decoded by the C core (core.floats).

local M = {}

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- The base64 of a text of any bytes, with padding.
function M.encode(text)
  local out = {}
  for at = 1, #text, 3 do
    local a, b, c = text:byte(at, at + 2)
    local bits, group = a * 65536 + (b or 0) * 256 + (c or 0), {}
    for i = 4, 1, -1 do
      local digit = bits % 64 + 1
      group[i], bits = DIGITS:sub(digit, digit), math.floor(bits / 64)
    end
    out[#out + 1] = group[1] .. group[2] .. (b and group[3] or "=") .. (c and group[4] or "=")
  end
  return table.concat(out)
end

-- The bytes of a base64 text; nil when it is none.
function M.decode(text)
  local digits = text:gsub("=+$", "")
  if digits:find("[^%w+/]") or #digits % 4 == 1 then return nil end
  local out, bits, count = {}, 0, 0
  for digit in digits:gmatch(".") do
    bits, count = bits * 64 + DIGITS:find(digit, 1, true) - 1, count + 6
    if count >= 8 then
      local rest = 2 ^ (count - 8)
      out[#out + 1] = string.char(math.floor(bits / rest))
      bits, count = bits % rest, count - 8
    end
  end
  return table.concat(out)
end

return M
