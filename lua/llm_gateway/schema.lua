-- schema.lua: validators: what may be wrong with a value that a user gave, in a request or as an option.
-- Leans on http/fields.lua for what a header field may hold, on json for null and for the whole numbers that a float
-- tells apart, on names.lua. Knows no field by name.
--
-- A check is a function of a value. It returns nil, or a message and, when it is not the value itself that is wrong,
-- the path of what is, from the value on ("[2].role"): a path is built only on the way out of a failure.

local headers = require("llm_gateway.http.fields")
local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")

local names = lazy("llm_gateway.names")

local M = {}

local null = json.null
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
  local allowed, all = {}, table.concat({ ... }, ", ")
  for _, name in ipairs({ ... }) do allowed[name] = true end
  return function(value)
    if value == null or not allowed[value] then return expected("one of " .. all, value) end
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

function M.integer(value)
  if type(value) ~= "number" or value ~= value or value % 1 ~= 0 then return expected("a whole number", value) end
  local exact = math.type and math.type(value) == "integer" or (value < json.exact and value > -json.exact)
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

-- Whether a value stands for "not set": nil, llm.null, or Neovim's vim.NIL.
local function is_unset(value)
  if value == nil or value == null then return true end
  if type(value) ~= "userdata" then return false end
  local vim = rawget(_G, "vim")
  return type(vim) == "table" and value == vim.NIL
end

-- The first of two checks, or for a table the second.
function M.either(first, second, what)
  return function(value)
    if first(value) == nil then return nil end
    if type(value) ~= "table" then return expected(what, value) end
    return second(value)
  end
end

local function list_fault(list, at_least)
  if type(list) ~= "table" then return expected("a list", list) end
  local count = #list
  if count == 0 then
    local key = next(list)
    if key ~= nil then return ("expected a list, got a table with the key %s"):format(M.shown(key)) end
  end
  if count < at_least then return "is empty: at least one is needed" end
end

function M.list_of(check, at_least)
  return function(list)
    local fault = list_fault(list, at_least)
    if fault then return fault end
    for i = 1, #list do
      local message, where = check(list[i])
      if message then return message, ("[%d]%s"):format(i, where or "") end
    end
  end
end

-- The name of a field as a path has it behind what the field is of.
local function step(name)
  return name:find("^[%a_][%w_]*$") and "." .. name or ("[%q]"):format(name)
end

-- The path of a field of what lies at `path`.
function M.join(path, name)
  local behind = step(tostring(name))
  return path == "" and behind:gsub("^%.", "") or path .. behind
end

-- A path as an error names it: without the point that it begins with.
function M.whole(path)
  return (path:gsub("^%.", ""))
end

-- The first field of a model that fails its check.
local function first_fault(model, value)
  for i = 1, #model do
    local field = model[i]
    local item = value[field.name]
    if item ~= nil then
      local message, where = field.check(item)
      if message and not is_unset(item) then return message, step(field.name) .. (where or "") end
    end
    if field.required and is_unset(item) then return field.required, step(field.name) end
  end
end

-- The first field of a table that fails its check, in the order of the model, a list of {name, check, required}:
-- `required` is the message when it is missing. Of a table without a fault no more is read than what it has.
function M.fields_of(model)
  local checks, required = {}, {}
  for _, field in ipairs(model) do
    checks[field.name] = field.check
    if field.required then required[#required + 1] = field.name end
  end
  local count = #required
  return function(value)
    if type(value) ~= "table" then return expected("a table", value) end
    for i = 1, count do
      if value[required[i]] == nil then return first_fault(model, value) end
    end
    for name, item in next, value do
      local check = checks[name]
      if check and check(item) then return first_fault(model, value) end
    end
  end
end

-- See names.lua.
function M.only(options, list, where, level)
  names.only(options, list, where, level + 1)
end

-- A table of header fields, as a user gives it.
function M.header_fields(value)
  local where, message = headers.fault(value)
  if where then return message, where end
end

return M
