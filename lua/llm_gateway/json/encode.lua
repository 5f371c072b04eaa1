-- json/encode.lua: Lua values as JSON text.
-- Leans on nothing: how a text is quoted, and what stands for null, it is told by json.lua, which alone knows
-- lua-cjson. Never damages a number in silence, never raises over data.

local MAX_DEPTH = 200
local EXACT = 2 ^ 53 -- from here on a double may stand for a neighbour of what was meant

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

local quoted, null -- of json.lua; see use

-- An emitter appends to `out` and returns nothing, or a message and the path below its value.

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
  if depth > MAX_DEPTH then return "nested deeper than " .. MAX_DEPTH .. " levels", "" end
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

-- Marks a table as a list, so that it is sent as `[]` even when empty, or as an object. Returns it.
local function mark_list(t) return setmetatable(t, LIST) end
local function mark_object(t) return setmetatable(t, OBJECT) end

-- Whether a table is marked as a list.
local function is_list(t)
  return type(t) == "table" and list_marks[getmetatable(t)] == true
end

-- Makes a metatable another such mark. Returns it.
local function list_mark(metatable)
  list_marks[metatable] = true
  return metatable
end

-- JSON text of a value; or nil, what was wrong, and the path of where (`messages[2].content`).
local function encode(value)
  local out = { open = {} }
  local message, path = emit(out, value, nil, 0)
  if message then return nil, message, (path:gsub("^%.", "")) end
  return table.concat(out)
end

-- Makes the encoder known: quote(text) gives the JSON of a text, null_mark stands for null.
local function use(quote, null_mark)
  quoted, null = quote, null_mark
end

return {
  use = use, encode = encode,
  mark_list = mark_list, mark_object = mark_object, is_list = is_list, list_mark = list_mark,
}
