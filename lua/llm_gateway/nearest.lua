-- nearest.lua: the known name that a mistyped one is likely to mean.
-- Leans on nothing. Serves what raises or fails over an unknown name.

local M = {}

-- How many single letters lie between two words (Levenshtein).
function M.distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j) and 0 or 1
      corner, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, corner + same)
    end
  end
  return row[#b]
end

-- "key" is nearer to api_key than to loop.
local function remoteness(name, known)
  return known:find(name, 1, true) and 1 - #name / #known or M.distance(name, known)
end

-- The nearest of a list of names; of equally near ones the first by the alphabet. nil of an empty list.
function M.of(name, names)
  local best, least
  for _, known in ipairs(names) do
    local d = remoteness(name:lower(), known)
    if not least or d < least or (d == least and known < best) then best, least = known, d end
  end
  return best
end

return M
