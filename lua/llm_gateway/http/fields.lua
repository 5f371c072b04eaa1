-- http/fields.lua: header fields, both ways: the lines of a request, the table of an answer.
-- Leans on the core, which reads them. Knows what a field may hold (RFC 9110, section 5), not what it means.

local core = require("llm_gateway.core")

local M = {}

local TOKEN = "^[%w!#$%%&'*+%-.^_`|~]+$"

local FRAMING = { ["content-length"] = true, ["transfer-encoding"] = true }

local lookup = {
  __index = function(fields, name)
    return type(name) == "string" and rawget(fields, name:lower()) or nil
  end,
}

-- The fields of an answer's head, the lines as they came: by their names in lower case, in lookups of which case does
-- not matter.
function M.read(head)
  return setmetatable(core.header_fields(head), lookup)
end

-- An answer's `headers`: those of most answers nobody asks for, so that they are read from its `head` when somebody
-- does.
function M.of(answer)
  if not answer.headers then answer.headers = M.read(answer.head) end
  return answer.headers
end

-- The media type that an answer tells, in lower case and without parameters; "" without one.
function M.media_type(answer)
  return (M.of(answer)["content-type"] or ""):lower():match("^[^;%s]*")
end

-- What is wrong with a text that is to be a field's value; nil when nothing is.
function M.value_fault(value)
  local bad = value:match("[%z\1-\8\10-\31\127]")
  if not bad then return nil end
  if bad:find("[\r\n%z]") then return "may not contain CR, LF or NUL" end
  return ("may not contain control characters (there is one of code %d)"):format(bad:byte())
end

-- What is wrong with a table of header fields {name = text | number | false}: nil, or the path of the field
-- below the table and a message.
function M.fault(fields)
  if type(fields) ~= "table" then return "", "expected a table, got " .. type(fields) end
  for name, value in pairs(fields) do
    local path = ("[%q]"):format(tostring(name):gsub("%c", "?"))
    if type(name) ~= "string" or not name:find(TOKEN) then return path, "is no header name" end
    if FRAMING[name:lower()] then return path, "is the client's own: it says how the body is sent" end
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" and value ~= false then
      return path, "expected text, or false to send none, got " .. kind
    end
    local fault = kind == "string" and M.value_fault(value)
    if fault then return path, fault end
  end
end

-- A field's value as text: a whole number without a point, whatever the Lua.
function M.text(value)
  local is_float = type(value) == "number" and not (math.type and math.type(value) == "integer")
  if is_float and value % 1 == 0 then return ("%.0f"):format(value) end
  return tostring(value)
end

-- libcurl's form: "Name:" takes a default away, "Name;" sends an empty field.
local function line(name, value)
  if value == false then return name .. ":" end
  local text = M.text(value)
  if not text:find("%S") then return name .. ";" end
  return name .. ": " .. text
end

-- The fields of several tables (some may be nil), {name, value} by the name in lower case: the later wins.
local function merged(...)
  local fields = {}
  for i = 1, select("#", ...) do
    for name, value in pairs(select(i, ...) or {}) do fields[name:lower()] = { name, value } end
  end
  return fields
end

-- Two tables of fields as one: the second wins, whatever the case of the names.
function M.combined(first, second)
  local both = {}
  for _, field in pairs(merged(first, second)) do both[field[1]] = field[2] end
  return both
end

-- The lines of a request: of several tables of fields (some may be nil) the later wins, whatever the case of
-- the names.
function M.lines(...)
  local lines = {}
  for _, field in pairs(merged(...)) do table.insert(lines, line(field[1], field[2])) end
  return lines
end

return M
