-- stages.lua: where the instructions go, as tables in Markdown: what callgrind counted by stage, and Lua's own by file.
-- Leans on nothing.

local M = {}

local HEAD = "| %s | a chat | | a chunk | | a collected chunk | |\n|---|---:|---:|---:|---:|---:|---:|"
local LEAST = 0.01 -- a row that nowhere reaches this part of the whole is left out

-- All rows' names, those with the largest part of anything first.
local function sorted_names(columns, totals)
  local names, most = {}, {}
  for i, column in ipairs(columns) do
    for name, cost in pairs(column) do
      if not most[name] then table.insert(names, name) end
      most[name] = math.max(most[name] or 0, cost / totals[i])
    end
  end
  table.sort(names, function(a, b) return most[a] > most[b] or (most[a] == most[b] and a < b) end)
  while names[1] and most[names[#names]] < LEAST do table.remove(names) end
  return names
end

local function total_of(column)
  local total = 0
  for _, cost in pairs(column) do total = total + cost end
  return total
end

-- A number, with a decimal where it would be lost; nothing for next to nothing.
local function shown(number)
  if number < 0.05 then return "" end
  return (number < 100 and "%.1f" or "%.0f"):format(number)
end

local function cells(cost, total)
  local part = cost / total
  return part < 0.0005 and " | " or ("%s | %.1f %%"):format(shown(cost), part * 100)
end

-- A table of three columns {name = number, ...}: `title` stands over the names. Says what all make together.
function M.text(title, columns)
  local totals, out = {}, { HEAD:format(title) }
  for i, column in ipairs(columns) do totals[i] = total_of(column) end
  for _, name in ipairs(sorted_names(columns, totals)) do
    local line = { "| " .. name }
    for i, column in ipairs(columns) do
      table.insert(line, cells(column[name] or 0, totals[i]))
    end
    table.insert(out, table.concat(line, " | ") .. " |")
  end
  for i, total in ipairs(totals) do totals[i] = ("**%s** | "):format(shown(total)) end
  table.insert(out, "| **all** | " .. table.concat(totals, "| ") .. "|\n")
  return table.concat(out, "\n")
end

return M
