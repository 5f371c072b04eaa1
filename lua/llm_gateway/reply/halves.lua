-- reply/halves.lua: characters that a server split over two deltas of a choice.
-- Leans on json. A character beyond the BMP is a pair of escapes: the first half is kept for the delta that brings the
-- second. A half that is still alone at the end is one unknown character.

local json = require("llm_gateway.json")

local M = {}

-- One text of a delta: `kept` has the half that its last piece ended with, under the same slot.
local function join_text(kept, slot, piece, last)
  local whole, half = json.split_half((type(kept[slot]) == "string" and kept[slot] or "") .. piece)
  if last then whole, half = whole .. half, "" end
  kept[slot] = half ~= "" and half or nil
  return json.mend(whole)
end

-- Tool calls lie deeper, and name their place in the list by `index`.
local function join_texts(kept, t, last)
  for name, value in pairs(t) do
    if type(value) == "string" then
      t[name] = join_text(kept, name, value, last)
    elseif type(value) == "table" then
      local slot = type(value.index) == "number" and "#" .. value.index or name
      local inner = type(kept[slot]) == "table" and kept[slot] or {}
      join_texts(inner, value, last)
      kept[slot] = next(inner) and inner or nil
    end
  end
end

-- Keeps the halves that the texts of a choice's delta end with, and puts those kept before in front of them.
-- state: what is known of the choice, whose `halves` has those that are kept. last: nothing more is to come.
function M.join(state, choice, last)
  local kept = state.halves or {}
  join_texts(kept, choice.delta, last)
  for name, half in pairs(last and kept or {}) do
    if type(half) == "string" then choice.delta[name] = json.mend(half) end
  end
  state.halves = not last and next(kept) and kept or nil
end

return M
