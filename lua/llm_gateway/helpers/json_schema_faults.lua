-- helpers/json_schema_faults.lua: whether all of a JSON Schema, given as a Lua table, can be checked here.
-- Leans on json_schema.lua for the keywords that are. What is not checked (`pattern` is a JavaScript regular
-- expression, a $ref may name another document) is a fault with its path: a schema is never obeyed in part.

local checks = require("llm_gateway.schema")
local formats = require("llm_gateway.helpers.json_formats")
local json = require("llm_gateway.json")
local json_values = require("llm_gateway.helpers.json_values")
local schemas = require("llm_gateway.helpers.json_schema")

local Compiled = {}
Compiled.__index = Compiled

local join, shown, is_list = checks.join, checks.shown, json.is_list
local visit

-- ---------------------------------------------------------------------------------------------------------
-- What a keyword's own value has to be. Each returns nil, or a message and perhaps the path of what is wrong.

local function expected(what, value)
  return ("expected %s, got %s"):format(what, shown(value))
end

local function number(value)
  if type(value) ~= "number" or value ~= value then return expected("a number", value) end
end

local function size(value)
  if type(value) ~= "number" or value < 0 or value % 1 ~= 0 then return expected("0 or a whole number above", value) end
end

local function step(value)
  if type(value) ~= "number" or value <= 0 or value ~= value then return expected("a number above 0", value) end
end

local function boolean(value)
  if type(value) ~= "boolean" then return expected("true or false", value) end
end

local function text(value)
  if type(value) ~= "string" then return expected("text", value) end
end

local function anything() end

local function texts(value, path)
  if type(value) ~= "table" or (not is_list(value) and next(value) ~= nil) then return expected("a list", value) end
  for i, name in ipairs(value) do
    if type(name) ~= "string" then return expected("text", name), ("%s[%d]"):format(path, i) end
  end
end

local function type_names(value, path)
  if type(value) == "string" then value, path = { value }, nil end
  if not is_list(value) then return expected("the name of a type or a list of them", value) end
  for i, name in ipairs(value) do
    if type(name) ~= "string" or not json_values.is_type(name) then
      return expected("one of array, boolean, integer, null, number, object, string", name),
        path and ("%s[%d]"):format(path, i)
    end
  end
end

local function values(value)
  if not is_list(value) or value[1] == nil then return expected("a list of values, one at least", value) end
end

local function format(value)
  if formats[value] then return nil end
  local names = {}
  for name in pairs(formats) do names[#names + 1] = name end
  table.sort(names)
  return ("the format %s is not checked here (these are: %s)"):format(shown(value), table.concat(names, ", "))
end

local function schema(value, path, state)
  return visit(value, path, state)
end

local function schema_list(list, path, state)
  if not is_list(list) or list[1] == nil then return expected("a list of schemas, one at least", list) end
  for i, item in ipairs(list) do
    local message, where = visit(item, ("%s[%d]"):format(path, i), state)
    if message then return message, where end
  end
end

local function items(value, path, state)
  if is_list(value) then return "is a list: a schema for each place is called prefixItems" end
  return visit(value, path, state)
end

local function schemas_by_name(value, path, state)
  if type(value) ~= "table" or is_list(value) then return expected("a table of schemas by name", value) end
  local names = {}
  for name in pairs(value) do
    if type(name) ~= "string" then return "a name is a " .. type(name) .. ", and JSON's names are text" end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local message, where = visit(value[name], join(path, name), state)
    if message then return message, where end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- References

-- "#/$defs/item" -> the table at $defs.item. RFC 6901, in a URI's fragment.
local function resolve(root, pointer)
  local at = root
  for part in pointer:sub(2):gmatch("/([^/]*)") do
    local name = part:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    name = name:gsub("~1", "/"):gsub("~0", "~")
    if type(at) ~= "table" then return nil end
    at = is_list(at) and tonumber(name) and at[tonumber(name) + 1] or at[name]
  end
  return at
end

local function reference(pointer, _, state)
  if type(pointer) ~= "string" then return expected("text", pointer) end
  if pointer ~= "#" and pointer:sub(1, 2) ~= "#/" then
    return "leads out of this schema: only #/... is followed, got " .. shown(pointer)
  end
  if state.targets[pointer] ~= nil then return nil end
  local target = resolve(state.root, pointer)
  if type(target) ~= "table" and type(target) ~= "boolean" then return "leads nowhere: " .. shown(pointer) end
  state.targets[pointer] = target
  state.pending[#state.pending + 1] = pointer
end

-- ---------------------------------------------------------------------------------------------------------

local KEYWORDS = {
  type = type_names, const = anything, enum = values, format = format, nullable = boolean,
  minimum = number, maximum = number, exclusiveMinimum = number, exclusiveMaximum = number, multipleOf = step,
  minLength = size, maxLength = size, minItems = size, maxItems = size, minProperties = size, maxProperties = size,
  uniqueItems = boolean, required = texts,
  properties = schemas_by_name, ["$defs"] = schemas_by_name, definitions = schemas_by_name,
  additionalProperties = schema, items = items, prefixItems = schema_list,
  anyOf = schema_list, oneOf = schema_list, allOf = schema_list, ["not"] = schema, ["$ref"] = reference,
  -- these say something to people, and nothing about values
  title = text, description = text, ["$comment"] = text, ["$schema"] = text, default = anything, example = anything,
  examples = anything, deprecated = boolean, readOnly = boolean, writeOnly = boolean,
}

local WHY = {
  pattern = "is not checked here (a regular expression is no Lua pattern): leave it out, and say it in `description`",
  patternProperties = "is not checked here: a regular expression is no Lua pattern",
  ["$id"] = "is not followed here: leave it out",
}

local function keyword_fault(name, value, path, state)
  if type(name) ~= "string" then return "a schema's keywords are text, this has the key " .. shown(name), path end
  if name:find("^x%-") then return nil end
  local where = join(path, name)
  local keyword = KEYWORDS[name]
  if not keyword then return WHY[name] or "is no keyword of JSON Schema that is checked here", where end
  local message, inner = keyword(value, where, state)
  if message then return message, inner or where end
end

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  return names
end

-- The first fault of a schema at `path`: a message and where; nil when it has none.
function visit(value, path, state)
  if type(value) == "boolean" then return nil end
  if type(value) ~= "table" then return expected("a schema (a table)", value), path end
  if state.open[value] then return "the table contains itself: name the part in `$defs`, and write $ref", path end
  if state.seen[value] then return nil end
  state.open[value] = true
  for _, name in ipairs(sorted_names(value)) do
    local message, where = keyword_fault(name, value[name], path, state)
    if message then return message, where end
  end
  state.open[value], state.seen[value] = nil, true
end

-- A $ref may lead to where no keyword has a schema.
local function visit_targets(path, state)
  while state.pending[1] do
    local pointer = table.remove(state.pending)
    local message, where = visit(state.targets[pointer], path .. "(" .. pointer .. ")", state)
    if message then return message, where end
  end
end

-- Checks a decoded value. Returns nil, or a message and the path in the value ("" for all of it).
function Compiled:check(value)
  return schemas.check(self.schema, value, self.targets)
end

-- Reads a schema, which lies at `path` of what the user gave. Returns {schema, check}; or nil, a message and the path
-- of what is wrong or not checked.
local function compile(given, path)
  local state = { root = given, targets = {}, pending = {}, open = {}, seen = {} }
  local message, where = visit(given, path, state)
  if not message then message, where = visit_targets(path, state) end
  if message then return nil, message, where end
  return setmetatable({ schema = given, targets = state.targets }, Compiled)
end

return { compile = compile }
