-- errors/embedded.lua: the table that a text carries: JSON, or a dict as Python prints it, alone or amid words.
-- Leans on json for decoding. Looks at the first braces of a text only, and at no more than its beginning.

local json = require("llm_gateway.json")

local M = {}

local WITHIN = 16384 -- bytes
local NAMES = { None = "null", True = "true", False = "false" }

-- Where the text that opens at `from` with this quote closes; nil when it does not.
local function close_of(text, from, quote)
  local at = from + 1
  while true do
    local found = text:find("[\\" .. quote .. "]", at)
    if not found then return nil end
    if text:sub(found, found) == quote then return found end
    at = found + 2
  end
end

-- A text between single or double quotes as JSON has it: '\'' needs no backslash there, '"' does.
local function quoted(text)
  local inner = text:gsub("\\'", "'"):gsub("\\x(%x%x)", "\\u00%1")
  return '"' .. inner:gsub('\\?"', '\\"'):gsub("%c", " ") .. '"'
end

-- What stands between two texts: names for null, true and false, and tuples.
local function gap_as_json(gap)
  return (gap:gsub("%a+", NAMES):gsub("%(", "["):gsub(",%s*%)", "]"):gsub("%)", "]"))
end

-- Python's dict as JSON.
local function as_json(text)
  local out, at = {}, 1
  while true do
    local from = text:find("['\"]", at)
    out[#out + 1] = gap_as_json(text:sub(at, (from or #text + 1) - 1))
    if not from then return table.concat(out) end
    local close = close_of(text, from, text:sub(from, from))
    if not close then return nil end
    out[#out + 1] = quoted(text:sub(from + 1, close - 1))
    at = close + 1
  end
end

local function decoded(text)
  local value = json.decode(text)
  if type(value) == "table" then return value end
  local rewritten = text:find("'", 1, true) and as_json(text)
  value = rewritten and json.decode(rewritten)
  return type(value) == "table" and value or nil
end

local TRIES = 4 -- how many braces are followed up

-- The table in a text, and whether the text is nothing else; nil without one.
function M.value(text)
  text = text:sub(1, WITHIN)
  local from = text:find("[{%[]")
  for _ = 1, TRIES do
    if not from then return nil end
    local whole = text:match(text:sub(from, from) == "{" and "^%b{}" or "^%b[]", from)
    local value = whole and decoded(whole)
    if value then
      return value, not text:sub(1, from - 1):find("%S") and not text:sub(from + #whole):find("%S")
    end
    from = text:find("[{%[]", from + 1)
  end
end

return M
