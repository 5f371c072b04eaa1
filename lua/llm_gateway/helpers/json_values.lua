-- helpers/json_values.lua: the keywords of JSON Schema that say something about one value: its type, size, format.
-- Leans on schema/ to show a value, on json/ for null and lists, and on json_formats.lua for `format`.
-- Those with schemas in them are in json_schema.lua. Never changes a value and never raises over one.
--
-- Each keyword is a function of its own value in the schema, the value checked, that one's path, and the schema.
-- It returns nil, or a message and, when it is not the value itself that is wrong, the path of what is.

local checks = require("llm_gateway.schema")
local formats = require("llm_gateway.helpers.json_formats")
local json = require("llm_gateway.json")

local null, shown = json.null, checks.shown

-- ---------------------------------------------------------------------------------------------------------
-- Values. They were decoded: a list that is empty is marked, an object's null is absent.

local is_list, is_object = json.is_list, json.is_object

local function is_number(value)
  return type(value) == "number"
end

local TYPES = {
  ["null"] = { function(value) return value == nil or value == null end, "null" },
  boolean = { function(value) return type(value) == "boolean" end, "true or false" },
  string = { function(value) return type(value) == "string" end, "text" },
  number = { is_number, "a number" },
  integer = { function(value) return is_number(value) and value % 1 == 0 end, "a whole number" },
  array = { is_list, "a list" },
  object = { is_object, "an object" },
}

local function described(value)
  if is_list(value) then return "a list" end
  return is_object(value) and "an object" or shown(value)
end

local function equal(a, b)
  if a == null then a = nil end
  if b == null then b = nil end
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" or is_list(a) ~= is_list(b) then return false end
  for key, value in pairs(a) do
    if not equal(value, b[key]) then return false end
  end
  for key, value in pairs(b) do
    if a[key] == nil and value ~= null then return false end
  end
  return true
end

-- How many characters a text has.
local function length(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

local function plural(n, what)
  return ("%d %s%s"):format(n, what, n == 1 and "" or "s")
end

-- ---------------------------------------------------------------------------------------------------------
-- The keywords

local V = {}

function V.type(types, value, _, schema)
  if schema.nullable == true and (value == nil or value == null) then return nil end
  local wanted = {}
  for i, name in ipairs(type(types) == "table" and types or { types }) do
    if TYPES[name][1](value) then return nil end
    wanted[i] = TYPES[name][2]
  end
  return ("expected %s, got %s"):format(table.concat(wanted, " or "), described(value))
end

function V.const(wanted, value)
  if not equal(wanted, value) then return ("expected %s, got %s"):format(described(wanted), described(value)) end
end

function V.enum(list, value)
  local names = {}
  for i, item in ipairs(list) do
    if equal(item, value) then return nil end
    names[i] = described(item)
  end
  return ("expected one of %s, got %s"):format(table.concat(names, ", "), described(value))
end

local function number_keyword(holds, words)
  return function(limit, value)
    if is_number(value) and not holds(value, limit) then
      return ("expected a number %s %s, got %s"):format(words, shown(limit), shown(value))
    end
  end
end

V.minimum = number_keyword(function(value, limit) return value >= limit end, "from")
V.maximum = number_keyword(function(value, limit) return value <= limit end, "up to")
V.exclusiveMinimum = number_keyword(function(value, limit) return value > limit end, "above")
V.exclusiveMaximum = number_keyword(function(value, limit) return value < limit end, "below")

-- 0.3 is a multiple of 0.1, although no two doubles say so.
V.multipleOf = number_keyword(function(value, step)
  local quotient = value / step
  return math.abs(quotient - math.floor(quotient + 0.5)) <= 1e-9 * math.max(1, math.abs(quotient))
end, "that is a multiple of")

local function size_keyword(is_kind, size_of, holds, words, unit)
  return function(limit, value)
    if not is_kind(value) then return nil end
    local size = size_of(value)
    if not holds(size, limit) then return ("expected %s %s, got %d"):format(words, plural(limit, unit), size) end
  end
end

local function is_text(value) return type(value) == "string" end
local function list_size(list) return #list end
local function at_least(size, limit) return size >= limit end
local function at_most(size, limit) return size <= limit end

V.minLength = size_keyword(is_text, length, at_least, "at least", "character")
V.maxLength = size_keyword(is_text, length, at_most, "at most", "character")
V.minItems = size_keyword(is_list, list_size, at_least, "at least", "item")
V.maxItems = size_keyword(is_list, list_size, at_most, "at most", "item")
V.minProperties = size_keyword(is_object, count, at_least, "at least", "field")
V.maxProperties = size_keyword(is_object, count, at_most, "at most", "field")

function V.format(name, value)
  if is_text(value) and not formats[name](value) then return ("is no %s: %s"):format(name, shown(value)) end
end

function V.uniqueItems(wanted, value, path)
  if not wanted or not is_list(value) then return nil end
  for i = 2, #value do
    for j = 1, i - 1 do
      if equal(value[i], value[j]) then return ("is the same as item %d"):format(j), ("%s[%d]"):format(path, i) end
    end
  end
end

-- Whether a type has this name.
local function is_type(name)
  return TYPES[name] ~= nil
end

return { keywords = V, is_type = is_type }
