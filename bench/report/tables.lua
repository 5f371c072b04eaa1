-- tables.lua: the report in Markdown: a table for each question, with ratios, and one for each growth.
-- Leans on measured.lua for medians. Prints nothing itself.

local measured = require "measured"

local M = {}

local SCALE = { ["ns"] = 1e9, ["µs"] = 1e6, ["ms"] = 1e3 }

-- Three digits that count.
local function short(number)
  if not number then return "–" end
  if number >= 100 then
    local text = ("%.0f"):format(number)
    return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
  end
  return number >= 10 and ("%.1f"):format(number) or number >= 1 and ("%.2f"):format(number)
    or number >= 0.1 and ("%.2f"):format(number) or ("%.3f"):format(number)
end

M.short = short

local function spread_text(spread)
  if spread.least == spread.most then return short(spread.median) end
  return ("%s (%s–%s)"):format(short(spread.median), short(spread.least), short(spread.most))
end

-- What a question's figure is, of one run.
local function figure_of(question)
  if question.value and question.value ~= "wall" then
    return function(result) return result[question.value] end
  end
  if question.scale then return function(result) return result.wall * question.scale end end
  local field = question.value or "cpu"
  return function(result) return result[field] / result.units * SCALE[question.unit] end
end

local function wall_of(question)
  return function(result) return result.wall / result.units * SCALE[question.unit] end
end

local function name_of(row, contestants)
  return row.name or contestants[row.who].name
end

local function ratio(spread, base)
  return spread and base and base.median > 0 and short(spread.median / base.median) .. " ×" or ""
end

-- The figures of a question: for each row {name, figure (a spread, or nil), wall, why_not}, and the rows that ratios
-- refer to: the limit, and this library on 5.4.
function M.figures(question, rows, results, contestants)
  local list, limit, ours = {}, nil, nil
  for i, row in ipairs(rows) do
    local one = { name = name_of(row, contestants), who = row.who }
    if type(results[i]) == "string" then one.why_not = results[i] else
      one.figure = measured.spread(results[i], figure_of(question))
      if not question.value then one.wall = measured.spread(results[i], wall_of(question)) end
    end
    if row.limit then limit = one.figure end
    if row.who == "ours54" and not ours then ours = one.figure end
    list[i] = one
  end
  return list, limit, ours
end

-- A question's table.
function M.question(question, list, limit, ours)
  local has_wall, what = not question.value, question.value == "wall" and "wall," or question.value and "" or "CPU,"
  local out = {
    ("### %s\n\n%s\n"):format(question.title, question.note),
    ("| | %s %s %s (min–max) |%s × limit | × ours |"):format(what, question.unit, question.per,
      has_wall and " wall |" or ""):gsub(" +", " "),
    "|---|---:|" .. (has_wall and "---:|" or "") .. "---:|---:|",
  }
  for _, one in ipairs(list) do
    local text = one.why_not or spread_text(one.figure)
    local wall = has_wall and (" %s |"):format(one.wall and short(one.wall.median) or "") or ""
    table.insert(out, ("| %s | %s |%s %s | %s |"):format(one.name, text, wall, ratio(one.figure, limit),
      ratio(one.figure, ours)))
  end
  return table.concat(out, "\n") .. "\n"
end

-- A table of growth: `cells[i][j]` are the results of form i at step j, or a word.
function M.growth(growth, cells, contestants)
  local out = {
    ("### %s\n\nCPU, %s %s.\n"):format(growth.title, growth.unit, growth.per),
    "| | " .. table.concat(growth.steps, " | ") .. " |", "|---|" .. ("---:|"):rep(#growth.steps),
  }
  for i, form in ipairs(growth.forms) do
    local line = { form.name or contestants[form[1]].name }
    for j in ipairs(growth.steps) do
      local results = cells[i][j]
      local figure = type(results) == "table" and measured.spread(results, figure_of(growth)).median
      table.insert(line, figure and short(figure) or results)
    end
    table.insert(out, "| " .. table.concat(line, " | ") .. " |")
  end
  return table.concat(out, "\n") .. "\n"
end

return M
