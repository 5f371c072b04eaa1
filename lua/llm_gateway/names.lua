-- names.lua: what a name that nobody knows was meant to be: the nearest known one, and the message that says so.
-- Leans on nothing. Knows no name itself; whoever asks brings the known ones.

local M = {}

local LONGEST_SHOWN = 40 -- bytes of a name
local LONGEST_COMPARED = 64 -- bytes; a longer name is compared by its beginning, so that the cost is bounded

-- A name as a message may show it.
function M.shown(name)
  if type(name) ~= "string" then return type(name) == "number" and tostring(name) or "a " .. type(name) end
  local cut = #name > LONGEST_SHOWN and name:sub(1, LONGEST_SHOWN) .. "..." or name
  return '"' .. cut:gsub("%c", "?") .. '"'
end

-- Whether the letters before position i of a and j of b are those two, swapped.
local function swapped(a, b, i, j)
  return i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j)
end

local function next_row(a, b, i, row, before)
  local new = { [0] = i }
  for j = 1, #b do
    local same = a:byte(i) == b:byte(j) and 0 or 1
    new[j] = math.min(row[j] + 1, new[j - 1] + 1, row[j - 1] + same)
    if swapped(a, b, i, j) then new[j] = math.min(new[j], before[j - 2] + 1) end
  end
  return new
end

-- How many edits lie between two words: a letter more, one less, another one, two neighbours swapped.
function M.distance(a, b)
  local row, before = {}, nil
  for j = 0, #b do row[j] = j end
  for i = 1, #a do row, before = next_row(a, b, i, row, before), row end
  return row[#b]
end

-- "key" is nearer to api_key than to loop.
local function remoteness(name, known)
  return known:find(name, 1, true) and 1 - #name / #known or M.distance(name, known)
end

-- The nearest to `name` (any value) among `known`, a list of names or a table by name; of several the first by the
-- alphabet.
function M.nearest(name, known)
  local word, best, least = tostring(name):lower():sub(1, LONGEST_COMPARED), nil, nil
  for key, value in pairs(known) do
    local candidate = type(key) == "number" and value or key
    local far = remoteness(word, candidate)
    if not least or far < least or (far == least and candidate < best) then best, least = candidate, far end
  end
  return best
end

-- `unknown option "tiemout": did you mean "timeout"?`, where `known` has the names there are.
function M.unknown(what, name, known)
  return ("unknown %s %s: did you mean %q?"):format(what, M.shown(name), M.nearest(name, known))
end

-- Misuse: a table of options has one that is not among `list`. Raises at `level` above the caller.
function M.only(options, list, where, level)
  local known = {}
  for _, name in ipairs(list) do known[name] = true end
  for name in pairs(options) do
    if not known[name] then
      local message = "%s: %s (there are %s)"
      error(message:format(where, M.unknown("option", name, list), table.concat(list, ", ")), level + 1)
    end
  end
end

return M
