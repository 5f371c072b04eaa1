-- json.lua: Lua values to JSON text and back, by this library's own rules.
-- Leans on lua-cjson (any 2.1.0 or later, in private instances) to escape strings and to parse, and on
-- surrogates.lua for escapes that are no character. Everything else is decided here, so that every cjson
-- and every Lua gives the same answer.
-- Never touches the host's cjson settings, never damages a number in silence, never raises over data.

local cjson_module = require("cjson")
local surrogates = require("llm_gateway.surrogates")

local MAX_ENCODE_DEPTH = 200
local MAX_DECODE_DEPTH = 1000
local EXACT = 2 ^ 53 -- from here on a double may stand for a neighbour of what was meant

local null = cjson_module.null
local cjson = cjson_module.new()
cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(MAX_DECODE_DEPTH)
cjson.encode_keep_buffer(false) -- a kept buffer would stay six times as large as the longest string sent

-- Marks: an empty table shows neither whether it is a list nor whether it is an object.
local LIST, OBJECT = {}, {}
local list_marks = { [LIST] = true }

-- Keys under which the API has lists, so that an unmarked empty table means one.
local LIST_KEYS = {
  messages = true, tools = true, tool_calls = true, stop = true, input = true,
  required = true, enum = true, anyOf = true, oneOf = true, allOf = true,
}

-- Objects of a JSON Schema whose keys are the user's names: a property called "input" is no list.
local FREE_NAMES = { properties = true, patternProperties = true, definitions = true, ["$defs"] = true }

local integer_kind = math.type or function() return "float" end
local to_integer = math.tointeger or function(n) return n end
local has_integers = math.type ~= nil
local cjson_escapes_slash = cjson.encode("/") ~= '"/"'

-- ---------------------------------------------------------------------------------------------------------
-- Encoding. An emitter appends to `out` and returns nothing, or a message and the path below its value.

-- cjson writes every "/" as "\/", so each slash in its answer has a backslash of its own to lose.
local function quoted(text)
  local json = cjson.encode(text)
  if cjson_escapes_slash and json:find("/", 1, true) then json = json:gsub("\\/", "/") end
  return json
end

-- The shortest digits that read back equal; a locale's decimal comma is not JSON's.
local function fraction_text(n)
  local text
  for digits = 14, 17 do
    text = ("%." .. digits .. "g"):format(n)
    if tonumber(text) == n then break end
  end
  return (text:gsub("[^%d+e-]+", "."))
end

-- Returns the JSON of a number, or nil and a message.
local function number_text(n)
  if integer_kind(n) == "integer" then return ("%d"):format(n) end
  if n ~= n then return nil, "NaN is no JSON number" end
  if n == math.huge or n == -math.huge then return nil, "an infinite number is no JSON number" end
  if n % 1 ~= 0 then return fraction_text(n) end
  if n >= EXACT or n <= -EXACT then
    return nil, "the number is too large to be sent exactly: write it as an integer"
      .. " (Lua 5.3 and later) or as text"
  end
  return n == 0 and "0" or ("%.0f"):format(n)
end

local function key_step(key)
  if key:find("^[%a_][%w_]*$") then return "." .. key end
  return "[" .. quoted(key) .. "]"
end

-- What stands among the keys of t: the text keys, how many numbers, the largest number, and a number that
-- no list has; or nil and a message.
local function survey(t)
  local names, count, max, odd = {}, 0, 0, nil
  for key in next, t do
    local kind = type(key)
    if kind == "string" then
      names[#names + 1] = key
    elseif kind ~= "number" then
      return nil, "a key is a " .. kind .. ", and JSON's keys are text"
    else
      count = count + 1
      if key > max then max = key end
      if key < 1 or key % 1 ~= 0 then odd = key end
    end
  end
  return names, count, max, odd
end

local function number_key_fault(t, max, odd)
  if not odd and (t[1] ~= nil or list_marks[getmetatable(t)]) then
    local hole = 1
    while t[hole] ~= nil do hole = hole + 1 end
    return "a list with a hole at " .. hole .. " (json.null fills one)"
  end
  local key = tostring(odd or max)
  return ("the key %s is a number, and JSON's keys are text: write [%q]"):format(key, key)
end

-- Returns "list", its length or "object", its sorted keys or "empty"; or nil and a message.
local function shape(t)
  local names, count, max, odd = survey(t)
  if not names then return nil, count end
  if count == 0 and #names == 0 then return "empty" end
  if #names == 0 then
    if odd or count ~= max then return nil, number_key_fault(t, max, odd) end
    return "list", count
  end
  if count > 0 then return nil, "a table with both list items and named fields" end
  if list_marks[getmetatable(t)] then return nil, "a list with named fields" end
  table.sort(names)
  return "object", names
end

local emit

local function emit_list(out, list, length, depth)
  for i = 1, length do
    out[#out + 1] = i == 1 and "[" or ","
    local message, path = emit(out, list[i], nil, depth)
    if message then return message, "[" .. i .. "]" .. path end
  end
  out[#out + 1] = "]"
end

local function emit_object(out, object, names, key, depth)
  local free = FREE_NAMES[key]
  for i, name in ipairs(names) do
    out[#out + 1] = (i == 1 and "{" or ",") .. quoted(name) .. ":"
    local message, path = emit(out, object[name], not free and name or nil, depth)
    if message then return message, key_step(name) .. path end
  end
  out[#out + 1] = "}"
end

local function emit_empty(out, t, key)
  local mark = getmetatable(t)
  out[#out + 1] = (list_marks[mark] or mark ~= OBJECT and LIST_KEYS[key]) and "[]" or "{}"
end

-- `out.open` holds the tables being written, so that a table inside itself is told from one used twice.
local function emit_table(out, t, key, depth)
  if out.open[t] then return "a table that contains itself", "" end
  if depth > MAX_ENCODE_DEPTH then return "nested deeper than " .. MAX_ENCODE_DEPTH .. " levels", "" end
  local kind, detail = shape(t)
  if not kind then return detail, "" end
  if kind == "empty" then return emit_empty(out, t, key) end
  out.open[t] = true
  local message, path
  if kind == "list" then
    message, path = emit_list(out, t, detail, depth + 1)
  else
    message, path = emit_object(out, t, detail, key, depth + 1)
  end
  out.open[t] = nil
  return message, path
end

local emitters = {
  string = function(out, value) out[#out + 1] = quoted(value) end,
  boolean = function(out, value) out[#out + 1] = tostring(value) end,
  table = emit_table,
  number = function(out, value)
    local text, message = number_text(value)
    if not text then return message, "" end
    out[#out + 1] = text
  end,
}

function emit(out, value, key, depth)
  if value == nil or value == null then out[#out + 1] = "null" return end
  local emitter = emitters[type(value)]
  if not emitter then return "a " .. type(value) .. " cannot be sent as JSON", "" end
  return emitter(out, value, key, depth)
end

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
  if next(object) == nil then setmetatable(object, OBJECT) end
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
  if value[1] == EMPTY_LIST then return setmetatable({}, LIST) end
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
  mend_all = surrogates.mend_all,
}

-- Marks a table (a new one by default) as a list, so that it is sent as `[]` even when empty. Returns it.
function M.array(t)
  return setmetatable(t or {}, LIST)
end

-- Whether a table bears that mark.
function M.is_array(t)
  return type(t) == "table" and list_marks[getmetatable(t)] == true
end

-- Makes a metatable another such mark. Returns it.
function M.list_mark(metatable)
  list_marks[metatable] = true
  return metatable
end

-- JSON text of a value; or nil, what was wrong, and the path of where (`messages[2].content`).
function M.encode(value)
  local out = { open = {} }
  local message, path = emit(out, value, nil, 0)
  if message then return nil, message, (path:gsub("^%.", "")) end
  return table.concat(out)
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
