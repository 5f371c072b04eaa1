-- devgateway/json.lua: the JSON of the development gateway, which runs under a Lua that may lack the C core.
-- Leans on lua-cjson alone. Takes what it gets for well meant: the library's own JSON is llm_gateway.json.

local cjson = require("cjson").new()

local null = cjson.null
local LIST = {}

-- Keys whose empty table is a list.
local LIST_KEYS = { messages = true, tools = true, tool_calls = true, choices = true, data = true }

local EXACT = 2 ^ 53 -- the core's JSON_EXACT, which this process has not

local to_integer = math.tointeger or function(n) return n end

-- ---------------------------------------------------------------------------------------------------------
-- Reading

local function tidy(value)
  if type(value) == "number" then return value % 1 == 0 and to_integer(value) or value end
  if type(value) ~= "table" then return value end
  for key, item in next, value do
    if item == null and type(key) == "string" then item = nil else item = tidy(item) end
    value[key] = item
  end
  return value
end

-- The value of a JSON text, null being nil but in a list; or nil and a message.
local function decode(text)
  local ok, value = pcall(cjson.decode, text)
  if not ok then return nil, tostring(value) end
  if value == null then return nil end
  return tidy(value)
end

-- ---------------------------------------------------------------------------------------------------------
-- Writing

local function number_text(n)
  if n % 1 == 0 and n > -EXACT and n < EXACT then return ("%.0f"):format(n) end
  for digits = 14, 17 do
    local text = ("%." .. digits .. "g"):format(n)
    if tonumber(text) == n then return text end
  end
end

local write

local function write_list(out, list)
  for i, item in ipairs(list) do
    out[#out + 1] = i == 1 and "[" or ","
    write(out, item)
  end
  out[#out + 1] = "]"
end

local function write_object(out, object)
  local names = {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    out[#out + 1] = (i == 1 and "{" or ",") .. cjson.encode(name) .. ":"
    write(out, object[name], name)
  end
  out[#out + 1] = "}"
end

local function write_table(out, t, key)
  if t[1] ~= nil then return write_list(out, t) end
  if next(t) ~= nil then return write_object(out, t) end
  out[#out + 1] = (getmetatable(t) == LIST or LIST_KEYS[key]) and "[]" or "{}"
end

function write(out, value, key)
  local kind = type(value)
  if kind == "table" then return write_table(out, value, key) end
  out[#out + 1] = kind == "number" and number_text(value)
    or kind == "string" and cjson.encode(value):gsub("\\/", "/") or value == null and "null" or tostring(value)
end

-- The JSON of a value, keys in order.
local function encode(value)
  local out = {}
  write(out, value)
  return table.concat(out)
end

-- Marks a table as a list, so that it is written as `[]` even when empty. Returns it.
local function array(t)
  return setmetatable(t, LIST)
end

return { null = null, decode = decode, encode = encode, array = array }
