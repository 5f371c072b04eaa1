-- schema/requests.lua: validators that requests alone need: of choices, lists, numbers within bounds, tables by fields.
-- Leans on init.lua beside it, which says what a check is, and on json for null and for the whole numbers that a float
-- tells apart.

local json = require("llm_gateway.json")
local schema = require("llm_gateway.schema")

local M = {}

local null = json.null
local expected, shown, step = schema.expected, schema.shown, schema.step

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

-- ---------------------------------------------------------------------------------------------------------
-- Tables

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
    if key ~= nil then return ("expected a list, got a table with the key %s"):format(shown(key)) end
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

-- A path as an error names it: without the point that it begins with.
function M.whole(path)
  return (path:gsub("^%.", ""))
end

-- The first field of a model that fails its check.
local function first_fault(model, value)
  for i = 1, #model do
    local field = model[i]
    local item = rawget(value, field.name)
    if item ~= nil then
      local message, where = field.check(item)
      if message and not is_unset(item) then return message, step(field.name) .. (where or "") end
    end
    if field.required and is_unset(item) then return field.required, step(field.name) end
  end
end

-- The first field of a table that fails its check, in the order of the model, a list of {name, check, required}:
-- `required` is the message when it is missing. Of a table without a fault no more is read than what it has: what an
-- __index adds does not go out.
function M.fields_of(model)
  local checks, required, count = {}, {}, 0
  for _, field in ipairs(model) do
    checks[field.name] = field.check
    if field.required then required[field.name], count = true, count + 1 end
  end
  return function(value)
    if type(value) ~= "table" then return expected("a table", value) end
    local missing = count
    for name, item in next, value do
      local check = checks[name]
      if check and check(item) then return first_fault(model, value) end
      if required[name] then missing = missing - 1 end
    end
    if missing > 0 then return first_fault(model, value) end
  end
end

return M
