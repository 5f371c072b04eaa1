-- request/near_miss.lua: a request's field that is a known one with a slip of the pen.
-- Leans on names.lua, and on request/provider_fields.lua once a name is near a known one.
--
-- The rule is narrow, so that no provider's real field is ever refused: one edit off a known name of six letters or
-- more, and itself no field of any provider we know.

local lazy = require("llm_gateway.lazy")
local names = require("llm_gateway.names")

local provider_fields = lazy("llm_gateway.request.provider_fields")

local M = {}

local SHORTEST = 6 -- letters of a known name

local function is_near(name, known)
  local more = #name - #known
  return #known >= SHORTEST and more >= -1 and more <= 1 and names.distance(name, known) == 1
end

local function nearest(name, known)
  local best
  for candidate in pairs(known) do
    if is_near(name, candidate) and (not best or candidate < best) then best = candidate end
  end
  return best
end

-- The known name (a key of one of the two tables) that `name` was meant to be; nil when it is nobody's near miss.
function M.of(name, known, also_known)
  if type(name) ~= "string" then return nil end
  local best = nearest(name, known) or nearest(name, also_known)
  if best and not provider_fields[name] then return best end
end

-- What to say of it.
function M.words(meant)
  return ("did you mean %q? (what is really called so goes out in extra_body)"):format(meant)
end

return M
