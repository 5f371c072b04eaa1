-- request/schema.lua: what may be wrong with a value that a user gave, in a request or as an option.
-- Leans on headers.lua for what a header field may hold, and on json.lua for null. Knows no field by name.
--
-- A check is a function of a value and its path ("messages[2].role"). It returns nil, or a message and, when it is not
-- the value itself that is wrong, the path of what is.

local headers = require("llm_gateway.http.fields")
local null = require("llm_gateway.json").null

local M = {}

local EXACT = 2 ^ 53
local LONGEST_SHOWN = 40 -- bytes of a text

-- A value as a message may show it.
function M.shown(value)
  if type(value) == "string" then
    local cut = #value > LONGEST_SHOWN and value:sub(1, LONGEST_SHOWN) .. "..." or value
    return '"' .. cut:gsub("%c", "?") .. '"'
  end
  if type(value) == "number" or type(value) == "boolean" then return tostring(value) end
  return value == nil and "nothing" or value == null and "null" or "a " .. type(value)
end

local function expected(what, value)
  return ("expected %s, got %s"):format(what, M.shown(value))
end

local function of_type(kind, what)
  return function(value)
    if type(value) ~= kind then return expected(what, value) end
  end
end

M.boolean = of_type("boolean", "true or false")
M.callback = of_type("function", "a function")
M.object = of_type("table", "a table")
M.text = of_type("string", "text")

-- ---------------------------------------------------------------------------------------------------------
-- Texts

function M.full_text(value)
  return M.text(value) or (value == "" and "may not be empty" or nil)
end

-- Text that goes into a header field.
function M.header_text(value)
  return M.full_text(value) or headers.value_fault(value)
end

-- A key. What is no good as one may be a secret all the same: it is not shown.
function M.secret(value)
  if type(value) ~= "string" then return "expected text, got a " .. type(value) end
  return M.header_text(value)
end

-- A key, or a function that returns it.
function M.key(value)
  if type(value) == "string" then return M.header_text(value) end
  if type(value) ~= "function" then return "expected text or a function that returns it, got a " .. type(value) end
end

function M.one_of(...)
  local allowed, names = {}, table.concat({ ... }, ", ")
  for _, name in ipairs({ ... }) do allowed[name] = true end
  return function(value)
    if value == null or not allowed[value] then return expected("one of " .. names, value) end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Numbers

function M.between(low, high)
  local what = ("a number from %g to %g"):format(low, high)
  return function(value)
    if type(value) ~= "number" or not (value >= low and value <= high) then return expected(what, value) end
  end
end

-- A float from 2^53 on may stand for a neighbour of what was meant.
function M.integer(value)
  if type(value) ~= "number" or value ~= value or value % 1 ~= 0 then return expected("a whole number", value) end
  local exact = math.type and math.type(value) == "integer" or (value < EXACT and value > -EXACT)
  if not exact then
    return ("%.17g is beyond what a float holds exactly: write it as an integer (Lua 5.3 and later)"):format(value)
  end
end

function M.positive(value)
  local fault = M.integer(value)
  if fault then return fault end
  if value <= 0 then return expected("a whole number above 0", value) end
end

-- How often something may happen.
function M.count(value)
  if type(value) ~= "number" or value < 0 or value % 1 ~= 0 then return expected("0 or a whole number above", value) end
end

local function limit(least, is_enough)
  local what = least .. ", or false for no limit"
  return function(value)
    if value == false then return nil end
    if type(value) ~= "number" or not is_enough(value) then return expected(what, value) end
  end
end

M.duration = limit("more than 0 seconds", function(seconds) return seconds > 0 end)
M.size = limit("1 byte or more", function(bytes) return bytes >= 1 end)

-- ---------------------------------------------------------------------------------------------------------
-- Other values

-- The first of two checks, or for a table the second.
function M.either(first, second, what)
  return function(value, path)
    if first(value, path) == nil then return nil end
    if type(value) ~= "table" then return expected(what, value) end
    return second(value, path)
  end
end

local function list_fault(list, at_least)
  if type(list) ~= "table" then return expected("a list", list) end
  local key = next(list)
  if #list == 0 and key ~= nil then return ("expected a list, got a table with the key %s"):format(M.shown(key)) end
  if #list < at_least then return "is empty: at least one is needed" end
end

function M.list_of(check, at_least)
  return function(list, path)
    local fault = list_fault(list, at_least)
    if fault then return fault end
    for i = 1, #list do
      local message, where = check(list[i], ("%s[%d]"):format(path, i))
      if message then return message, where or ("%s[%d]"):format(path, i) end
    end
  end
end

-- The path of a field of what lies at `path`.
function M.join(path, name)
  if not tostring(name):find("^[%a_][%w_]*$") then return ("%s[%q]"):format(path, tostring(name)) end
  return path == "" and name or path .. "." .. name
end

-- The first field of a table that fails its check, in the order of the model, a list of {name, check, required}:
-- `required` is the message when it is missing. null stands for "not set".
function M.fields_of(model)
  return function(value, path)
    local fault = M.object(value)
    if fault then return fault end
    for _, field in ipairs(model) do
      local item, where = value[field.name], M.join(path, field.name)
      if item == nil or item == null then
        if field.required then return field.required, where end
      else
        local message, inner = field.check(item, where)
        if message then return message, inner or where end
      end
    end
  end
end

-- Misuse: a table of options has one that is not among `names` (a list). Raises at `level` above the caller.
function M.only(options, names, where, level)
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  for name in pairs(options) do
    if not known[name] then
      error(("%s: unknown option %s (there are %s)"):format(where, M.shown(name), table.concat(names, ", ")), level + 1)
    end
  end
end

-- A table of header fields, as a user gives it.
function M.header_fields(value, path)
  local where, message = headers.fault(value)
  if where then return message, path .. where end
end

return M
