-- helpers/json_schema.lua: checks values against JSON Schema (draft 2020-12), written as a Lua table.
-- Leans on json_values.lua for the keywords about one value; has those with schemas in them. It takes schemas that
-- json_schema_faults.lua has found to be without fault: every keyword is one it knows.
--
-- A keyword here is a function as in json_values.lua that also takes what each $ref means, and how many schemas about
-- this very value it lies in.

local checks = require("llm_gateway.schema")
local json = require("llm_gateway.json")
local values = require("llm_gateway.helpers.json_values")

local join, is_list, is_object, V = checks.join, json.is_list, json.is_object, values.keywords
local MAX_DEPTH = 200 -- $refs that lead to each other without going deeper into the value would never end
local null = json.null
local check

local S = {}

local function has_null(list)
  for _, item in ipairs(list) do
    if item == "null" or item == null then return true end
  end
  return false
end

-- Whether a schema names null as a value. An object's null was dropped when it was decoded: a field that may be null
-- may be absent.
local function names_null(schema, targets, depth)
  if type(schema) ~= "table" or depth > MAX_DEPTH then return false end
  if schema.nullable == true or schema.const == null or has_null(schema.enum or {}) then return true end
  if has_null(type(schema.type) == "table" and schema.type or { schema.type }) then return true end
  for _, list in ipairs({ schema.anyOf or {}, schema.oneOf or {}, { schema["$ref"] and targets[schema["$ref"]] } }) do
    for _, inner in ipairs(list) do
      if names_null(inner, targets, depth + 1) then return true end
    end
  end
  return false
end

S["$ref"] = function(pointer, value, path, _, targets, depth)
  return check(targets[pointer], value, path, targets, depth)
end

function S.properties(properties, value, path, _, targets)
  if not is_object(value) then return nil end
  local names = {}
  for name in pairs(properties) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if value[name] ~= nil then
      local message, where = check(properties[name], value[name], join(path, name), targets, 0)
      if message then return message, where end
    end
  end
end

function S.required(names, value, path, schema, targets)
  if not is_object(value) then return nil end
  for _, name in ipairs(names) do
    local property = schema.properties and schema.properties[name]
    if value[name] == nil and not names_null(property, targets, 0) then
      return "is missing", join(path, name)
    end
  end
end

function S.additionalProperties(rest, value, path, schema, targets)
  if not is_object(value) then return nil end
  for name, item in pairs(value) do
    if not (schema.properties and schema.properties[name] ~= nil) then
      if rest == false then return "is no field that the schema has", join(path, name) end
      local message, where = check(rest, item, join(path, name), targets, 0)
      if message then return message, where end
    end
  end
end

function S.items(items, value, path, schema, targets)
  if not is_list(value) then return nil end
  for i = 1 + #(schema.prefixItems or {}), #value do
    local where = ("%s[%d]"):format(path, i)
    if items == false then return "is one item too many", where end
    local message, inner = check(items, value[i], where, targets, 0)
    if message then return message, inner end
  end
end

function S.prefixItems(list, value, path, _, targets)
  if not is_list(value) then return nil end
  for i = 1, math.min(#list, #value) do
    local message, where = check(list[i], value[i], ("%s[%d]"):format(path, i), targets, 0)
    if message then return message, where end
  end
end

-- What fitted best says most: the fault that lies deepest in the value.
local function matches(list, value, path, targets, depth)
  local fitting, best, place = 0, nil, nil
  for _, schema in ipairs(list) do
    local message, where = check(schema, value, path, targets, depth)
    if not message then
      fitting = fitting + 1
    elseif not best or #where > #place then
      best, place = message, where
    end
  end
  return fitting, best, place
end

function S.anyOf(list, value, path, _, targets, depth)
  local fitting, best, place = matches(list, value, path, targets, depth)
  if fitting == 0 then return best, place end
end

function S.oneOf(list, value, path, _, targets, depth)
  local fitting, best, place = matches(list, value, path, targets, depth)
  if fitting == 0 then return best, place end
  if fitting > 1 then return ("fits %d of what may fit only one (oneOf)"):format(fitting) end
end

function S.allOf(list, value, path, _, targets, depth)
  for _, schema in ipairs(list) do
    local message, where = check(schema, value, path, targets, depth)
    if message then return message, where end
  end
end

S["not"] = function(schema, value, path, _, targets, depth)
  if not check(schema, value, path, targets, depth) then return "fits what it may not fit (not)" end
end

-- ---------------------------------------------------------------------------------------------------------

-- `type` says most, so it goes first; the names of the rest only make the order the same each time.
local ORDER = { "type" }
do
  local names = {}
  for name in pairs(V) do
    if name ~= "type" then names[#names + 1] = name end
  end
  for name in pairs(S) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do ORDER[#ORDER + 1] = name end
end

function check(schema, value, path, targets, depth)
  if schema == true then return nil end
  if schema == false then return "may not be there", path end
  if depth > MAX_DEPTH then return "the schema's $refs lead in a circle here", path end
  for _, name in ipairs(ORDER) do
    local keyword = schema[name]
    if keyword ~= nil then
      local message, where = (V[name] or S[name])(keyword, value, path, schema, targets, depth + 1)
      if message then return message, where or path end
    end
  end
end

-- Checks a decoded value. `targets` has the schema that each $ref means. Returns nil, or a message and the path in the
-- value ("" for all of it).
local function check_whole(schema, value, targets)
  return check(schema, value, "", targets, 0)
end

return { check = check_whole }
