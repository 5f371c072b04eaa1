-- helpers/strict.lua: whether a JSON Schema is one that providers can hold a model to (`strict`).
-- Leans on nothing. A schema that is not is sent all the same; the answer is checked here in any case.

local M = {}

-- https://platform.openai.com/docs/guides/structured-outputs#supported-schemas; each takes part in the recursion below.
local PLAIN = {
  type = true, const = true, enum = true, format = true, title = true, description = true, required = true,
  minimum = true, maximum = true, exclusiveMinimum = true, exclusiveMaximum = true, multipleOf = true,
  minItems = true, maxItems = true, additionalProperties = true, ["$ref"] = true,
}
local ONE, MANY = { items = true }, { properties = true, anyOf = true, ["$defs"] = true, definitions = true }

local function names_all(schema)
  local named = {}
  for _, name in ipairs(schema.required or {}) do named[name] = true end
  for name in pairs(schema.properties or {}) do
    if not named[name] then return false end
  end
  return true
end

local fits

local function keyword_fits(name, value)
  if PLAIN[name] then return true end
  if ONE[name] then return fits(value) end
  if not MANY[name] then return false end
  for _, inner in pairs(value) do
    if not fits(inner) then return false end
  end
  return true
end

function fits(schema)
  if type(schema) ~= "table" then return false end
  local is_object = schema.type == "object" or schema.properties ~= nil
  if is_object and (schema.additionalProperties ~= false or not names_all(schema)) then return false end
  for name, value in pairs(schema) do
    if not keyword_fits(name, value) then return false end
  end
  return true
end

-- Whether a schema (without fault) is strict: objects that name all their fields and take no others, at its root too.
function M.fits(schema)
  return schema.type == "object" and fits(schema)
end

return M
