-- json/surrogates.lua: escapes of JSON that are no character: one half of a UTF-16 pair without the other.
-- Leans on nothing. A half is carried as the three bytes UTF-8 would have for it (WTF-8), which no valid text
-- contains, until its other half is found or U+FFFD takes its place. The core makes halves of escapes; here they meet.

local M = {}

local REPLACEMENT = "\239\191\189"
local HIGH, LOW = "\237[\160-\175][\128-\191]", "\237[\176-\191][\128-\191]"

local function code_of(bytes)
  local second, third = bytes:byte(2, 3)
  return 0xD000 + (second - 0x80) * 64 + third - 0x80
end

local function joined(high, low)
  local code = 0x10000 + (code_of(high) - 0xD800) * 1024 + code_of(low) - 0xDC00
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64,
    0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function join_pairs(text)
  return (text:gsub("(" .. HIGH .. ")(" .. LOW .. ")", joined))
end

-- a .. b, with a character that was split between them made whole.
function M.join(a, b)
  return join_pairs(a .. b)
end

-- A text without the half it ends with, and that half ("" when there is none).
function M.split_half(text)
  local half = text:match(HIGH .. "$")
  if not half then return text, "" end
  return text:sub(1, -4), half
end

-- A text with its pairs joined and U+FFFD for each half that is left.
function M.mend(text)
  if not text:find("\237[\160-\191]") then return text end
  return (join_pairs(text):gsub("\237[\160-\191][\128-\191]", REPLACEMENT))
end

-- The same for every text in a decoded value, keys too.
function M.mend_all(value)
  if type(value) == "string" then return M.mend(value) end
  if type(value) ~= "table" then return value end
  local renamed = {}
  for key, item in next, value do
    value[key] = M.mend_all(item)
    if type(key) == "string" and M.mend(key) ~= key then renamed[key] = M.mend(key) end
  end
  for old, new in pairs(renamed) do value[new], value[old] = value[old], nil end
  return value
end

return M
