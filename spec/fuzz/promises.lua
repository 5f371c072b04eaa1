-- promises.lua: what the Lua halves of the fuzz targets share: how an invariant fails, and what holds of any JSON text.
-- Leans on the library's JSON.

local json = require "llm_gateway.json"

local M = {}

-- An invariant: raises what was promised where it does not hold.
local function demand(holds, what, ...)
  if not holds then error("INVARIANT BROKEN: " .. what:format(...), 0) end
end

M.demand = demand

-- Two values are the same, all the way down, numbers by their type too. `path` names them.
local function same(a, b, path)
  demand(type(a) == type(b), "%s is the same type", path)
  if a ~= a then
    demand(b ~= b, "%s is no number again", path)
  elseif type(a) ~= "table" then
    demand(a == b and math.type(a) == math.type(b), "%s is the same: %s, %s", path, tostring(a), tostring(b))
  end
  if type(a) ~= "table" then return end
  demand(json.is_marked_list(a) == json.is_marked_list(b), "%s is a list again", path)
  for name, item in next, a do same(item, b[name], "a value") end
  for name in next, b do demand(a[name] ~= nil, "%s has nothing new", path) end
end

M.same = same

-- Half of a pair at an edge is kept; mended, the value is the same. (Halves that came as bytes are mended too.)
function M.keeps_halves(text, value)
  if text:find("\237[\160-\191]") then return end
  local halves, _, found = json.decode(text, true)
  if found then halves = json.mend_all(halves) end
  same(value, halves, "the value with halves")
end

-- A decoded value may hold what may not be sent: numbers that would be damaged, depth, bytes that are no text.
local REFUSALS = {
  "^the number is too large", "^an infinite number", "^NaN", "^nested deeper", "^byte %d+ is no UTF%-8$",
  "^byte %d+ of a key is no UTF%-8$",
}

local function may_refuse(message)
  for _, pattern in ipairs(REFUSALS) do
    if message:find(pattern) then return true end
  end
  return false
end

-- What was decoded can be sent, and is read as the same again. Returns its text; nil where it may not be sent.
function M.comes_back(value)
  local sent, message, path = json.encode(value)
  if not sent then
    demand(may_refuse(message) and type(path) == "string", "what was decoded can be sent, but: %s", message)
    return nil
  end
  local back, fault = json.decode(sent)
  demand(fault == nil, "what was encoded can be decoded, but: %s", tostring(fault))
  same(value, back, "the value")
  demand(json.encode(back) == sent, "the same text again")
  return sent
end

return M
