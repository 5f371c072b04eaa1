-- json/init.lua: Lua values to JSON text and back, by this library's own rules.
-- Leans on lua-cjson (any 2.1.0 or later, in private instances) to escape strings and to parse, on encoder.lua for
-- writing, and on surrogates.lua for escapes that are no character. Everything else is decided here, so that every
-- cjson and every Lua gives the same answer.
-- Never touches the host's cjson settings, never damages a number in silence, never raises over data.

local cjson_module = require("cjson")
local encoder = require("llm_gateway.json.encode")
local surrogates = require("llm_gateway.json.surrogates")

local MAX_DECODE_DEPTH = 1000
local EXACT = 2 ^ 53 -- from here on a double may stand for a neighbour of what was meant

local null = cjson_module.null
local cjson = cjson_module.new()
cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(MAX_DECODE_DEPTH)
cjson.encode_keep_buffer(false) -- a kept buffer would stay six times as large as the longest string sent

local to_integer = math.tointeger or function(n) return n end
local has_integers = math.type ~= nil
local cjson_escapes_slash = cjson.encode("/") ~= '"/"'

-- cjson writes every "/" as "\/", so each slash in its answer has a backslash of its own to lose.
local function quoted(text)
  local json = cjson.encode(text)
  if cjson_escapes_slash and json:find("/", 1, true) then json = json:gsub("\\/", "/") end
  return json
end

encoder.use(quoted, null)

-- ---------------------------------------------------------------------------------------------------------
-- Decoding. cjson parses first and one walk mends what it left; only where the walk or a failure shows that
-- the text holds something cjson cannot tell is the text rewritten and parsed again.

local tidy

-- `doubt` collects what the walk cannot settle: `empty` ([] or {}), `digits` (an integer beyond 2^53).
local function tidy_number(n, doubt)
  if n % 1 ~= 0 then return n end
  if n >= EXACT or n <= -EXACT then
    doubt.digits = true
    return n <= EXACT and n >= -EXACT and to_integer(n) or n
  end
  return to_integer(n)
end

-- A cjson with integers of its own ends them at 2^63, where this Lua has doubles.
local clamps = not has_integers and cjson.decode("100000000000000000000") ~= 1e20

local function doubt_clamped(n, doubt)
  if n >= 2 ^ 63 or n <= -2 ^ 63 then doubt.digits = true end
  return n
end

local tidiers = {
  number = has_integers and tidy_number or clamps and doubt_clamped or nil,
  table = function(t, doubt) return tidy(t, doubt) end,
}

local function tidy_list(list, doubt)
  for i = 1, #list do
    local tidier = tidiers[type(list[i])]
    if tidier then list[i] = tidier(list[i], doubt) end
  end
  return list
end

local function tidy_object(object, doubt)
  for key, value in next, object do
    local tidier = tidiers[type(value)]
    if tidier then
      object[key] = tidier(value, doubt)
    elseif value == null then
      object[key] = nil
    end
  end
  if next(object) == nil then encoder.mark_object(object) end
  return object
end

function tidy(t, doubt)
  if t[1] ~= nil then return tidy_list(t, doubt) end
  if next(t) == nil then doubt.empty = true end
  return tidy_object(t, doubt)
end

-- What the rewritten text has in place of an empty list and of a long integer: texts no server would send.
local EMPTY_LIST, LONG_INTEGER = "\1llm_gateway:[]", "\1llm_gateway:integer:"

local function exact_integer(digits)
  local n = has_integers and to_integer(tonumber(digits))
  return n and ("%d"):format(n) == digits and n or tonumber(digits) + 0.0
end

local function restore(value)
  if type(value) == "string" then
    local digits = value:sub(1, 1) == "\1" and value:match("^" .. LONG_INTEGER .. "(-?%d+)$")
    return digits and exact_integer(digits) or value
  end
  if type(value) ~= "table" then return value end
  if value[1] == EMPTY_LIST then return encoder.mark_list({}) end
  for key, item in next, value do
    if type(item) == "table" or type(item) == "string" then value[key] = restore(item) end
  end
  return value
end

-- Rewrites what lies between two texts: an empty list, an integer with more digits than a double keeps.
local function rewrite_gap(gap)
  gap = gap:gsub("%[%s*%]", '["\\u0001llm_gateway:[]"]')
  return (gap:gsub("()(-?%d+)()", function(start, digits, stop)
    local before, after = gap:sub(start - 1, start - 1), gap:sub(stop, stop)
    if #digits < 16 or before:find("[%d.eE+-]") or after:find("[.eE]") then return nil end
    return '"\\u0001llm_gateway:integer:' .. digits .. '"'
  end))
end

-- Where the text that opens at `from` closes.
local function end_of_text(text, from)
  local at = from + 1
  while true do
    local found = text:find('["\\]', at)
    if not found then return #text end
    if text:byte(found) == 34 then return found end
    at = found + 2
  end
end

local function rewrite(text)
  local out, at = {}, 1
  while true do
    local quote = text:find('"', at, true)
    out[#out + 1] = rewrite_gap(text:sub(at, (quote or #text + 1) - 1))
    if not quote then return table.concat(out) end
    local close = end_of_text(text, quote)
    out[#out + 1] = text:sub(quote, close)
    at = close + 1
  end
end

-- To run out of memory is no fault of the text, which must not pass for something other than JSON.
local function parse(text)
  local ok, value = pcall(cjson.decode, text)
  if ok then return true, value end
  if value == "not enough memory" then error(value, 0) end
  return false, (tostring(value):gsub("^.-:%d+: ", ""))
end

local function tidied(value)
  local doubt, tidier = {}, tidiers[type(value)]
  if tidier then value = tidier(value, doubt) end
  return value, doubt
end

local M = {
  null = null, join = surrogates.join, split_half = surrogates.split_half, mend = surrogates.mend,
  mend_all = surrogates.mend_all, encode = encoder.encode, is_array = encoder.is_list, list_mark = encoder.list_mark,
}

-- Marks a table (a new one by default) as a list, so that it is sent as `[]` even when empty. Returns it.
function M.array(t)
  return encoder.mark_list(t or {})
end

-- The value of a JSON text; or nil and a message (`null` gives nil without one). With keep_halves a text that
-- ends or begins with half a character keeps it, for join and mend; the third result tells that there may be one.
function M.decode(text, keep_halves)
  if type(text) ~= "string" then return nil, "expected text, got " .. type(text) end
  text = text:gsub("^\239\187\191", "")
  local halves = surrogates.found(text)
  if halves then text = surrogates.to_bytes(text) end
  local ok, value = parse(text)
  if not ok then return nil, value end
  local doubt
  value, doubt = tidied(value)
  if (doubt.empty and text:find("%[%s*%]")) or doubt.digits then
    ok, value = parse(rewrite(text))
    if not ok then return nil, value end
    value = restore((tidied(value)))
  end
  if value == null then return nil end
  if not halves then return value end
  if keep_halves then return value, nil, true end
  return surrogates.mend_all(value)
end

return M
