-- schema/init.lua: validators: what may be wrong with a value that a user gave, in a request or as an option.
-- Leans on http/fields.lua for what a header field may hold, on names.lua; requests.lua beside it has those that
-- requests alone need. Knows no field by name.
--
-- A check is a function of a value. It returns nil, or a message and, when it is not the value itself that is wrong,
-- the path of what is, from the value on ("[2].role"): a path is built only on the way out of a failure.

local core = require("llm_gateway.core")
local headers = require("llm_gateway.http.fields")
local lazy = require("llm_gateway.lazy")

local names = lazy("llm_gateway.names")

local M = {}

local null = core.null
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

-- The message about a value that is not what it should be.
function M.expected(what, value)
  return ("expected %s, got %s"):format(what, M.shown(value))
end

local expected = M.expected

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

-- ---------------------------------------------------------------------------------------------------------
-- Numbers

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
-- Names and paths

-- The name of a field as a path has it behind what the field is of.
function M.step(name)
  return name:find("^[%a_][%w_]*$") and "." .. name or ("[%q]"):format(name)
end

-- The path of a field of what lies at `path`.
function M.join(path, name)
  local behind = M.step(tostring(name))
  return path == "" and behind:gsub("^%.", "") or path .. behind
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
