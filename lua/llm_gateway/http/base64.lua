-- http/base64.lua: bytes as text (RFC 4648, section 4).
-- Leans on nothing. Decoding is the C core's (core.floats).

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

return M
