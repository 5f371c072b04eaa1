-- request/multipart.lua: the parts of a multipart/form-data body, as the C core takes them.
-- Files are read there, as they are sent; here only what is said of them is looked at.

local checks = require("llm_gateway.schema")
local json = require("llm_gateway.json")

local M = {}

local shown = checks.shown
local FIELDS = { path = true, data = true, filename = true, type = true, name = true }

local function base_name(path)
  return path:match("([^/\\]+)[/\\]*$") or path
end

local function field_fault(part, path)
  for name, value in pairs(part) do
    if not FIELDS[name] then
      return "is no field of a part (these are: path, data, filename, type)", checks.join(path, tostring(name))
    end
    local message = checks.text(value)
    if not message and name ~= "data" and value:find("[%c]") then message = "may not contain control characters" end
    if message then return message, path .. "." .. name end
  end
  if (part.path == nil) == (part.data == nil) then return "expected either path, of a file, or data", path end
end

-- One part of a field: text, a number, true or false, or a table.
local function read_part(name, value, path)
  if type(value) == "string" then return { name = name, data = value, field = path } end
  if type(value) == "number" or type(value) == "boolean" then
    local text, message = json.encode(value)
    if not text then return nil, message, path end
    return { name = name, data = text, field = path }
  end
  if type(value) ~= "table" then return nil, "expected text or a table {path = ...}, got " .. shown(value), path end
  local message, where = field_fault(value, path)
  if message then return nil, message, where end
  return {
    name = name, path = value.path, data = value.data, type = value.type, field = path,
    filename = value.filename or (value.path and base_name(value.path)) or nil,
  }
end

local function is_list(value)
  return type(value) == "table" and value[1] ~= nil
end

-- A field may be there several times.
local function add_field(parts, name, value, path)
  if not is_list(value) then value = { value } end
  for i, item in ipairs(value) do
    local where = #value > 1 and ("%s[%d]"):format(path, i) or path
    local part, message, fault_path = read_part(name, item, where)
    if not part then return message, fault_path end
    table.insert(parts, part)
  end
end

local function named_fields(given, path)
  local fields = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" or name == "" then return nil, "a field's name is text, got " .. shown(name), path end
    local first = is_list(value) and value[1] or value
    local rank = type(first) == "table" and "2" or "1" -- servers that read as it comes want texts before files
    table.insert(fields, { name = name, value = value, path = checks.join(path, name), rank = rank .. name })
  end
  table.sort(fields, function(a, b) return a.rank < b.rank end)
  return fields
end

-- In a list each part has its name, and they keep their order.
local function listed_fields(given, path)
  local fields = {}
  for i, part in ipairs(given) do
    local where = ("%s[%d]"):format(path, i)
    if type(part) ~= "table" or type(part.name) ~= "string" or part.name == "" then
      return nil, "expected a table with a name", where
    end
    fields[i] = { name = part.name, value = part, path = where }
  end
  return fields
end

-- Reads what a request's `multipart` has: fields by name, each text, a number, a boolean, {path =, filename =, type =},
-- {data =, ...} or a list of such; or a list of parts with a name. Returns a list of {name, data | path, filename,
-- type, field}; or nil, a message and the path of what is wrong.
function M.read(given, path)
  if type(given) ~= "table" then return nil, "expected a table of fields, got " .. shown(given), path end
  local fields, message, where = (is_list(given) and listed_fields or named_fields)(given, path)
  if not fields then return nil, message, where end
  if not fields[1] then return nil, "is empty: at least one field is needed", path end
  local parts = {}
  for _, field in ipairs(fields) do
    message, where = add_field(parts, field.name, field.value, field.path)
    if message then return nil, message, where end
  end
  return parts
end

return M
