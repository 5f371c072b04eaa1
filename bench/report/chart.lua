-- chart.lua: the README's picture: a panel for each of some questions, a bar for each contestant.
-- Writes SVG by hand: no script, no font of its own, no background, and colours for a light and for a dark page.

local tables = require "tables"

local M = {}

local PANEL, GAP, ROW, TOP = 436, 16, 22, 34 -- pixels
local NAMES, NUMBERS = 196, 64 -- pixels for the names before, and the numbers behind a bar

local TITLE = "What a call takes: llm-gateway beside libcurl in C, Lua by hand and OpenAI's SDKs"
local FOOT = "Shorter is better. An arrow marks a bar that was cut. Medians; bench/README.md has the rest."
local STYLE = [[
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a }
  .title { font-weight: 600; font-size: 13px; fill: #24292f }
  .ours { fill: #1a7f5a } .limit { fill: #8c959f } .hand { fill: #b7bec6 } .peer { fill: #bf6a1f }
  text.ours { fill: #1a7f5a; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9ea7b3 } .title { fill: #e6edf3 }
    .ours, text.ours { fill: #3fbf8a } .limit { fill: #6e7681 } .hand { fill: #4d555f } .peer { fill: #d98a48 }
  }]]

local CLASS = {
  c = "limit", hand54 = "hand", handjit = "hand", ours54 = "ours", oursjit = "ours", node = "peer", python = "peer",
}

local function escaped(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- Where the longest bar is far longer than the second, it would leave nothing to see of the others: it is cut, and
-- says so.
local function longest_shown(list)
  local most, second = 0, 0
  for _, one in ipairs(list) do
    local n = one.figure and one.figure.median or 0
    if n > most then most, second = n, most elseif n > second then second = n end
  end
  return most > 4 * second and second * 1.5 or most
end

local function bar(one, y, most)
  local n, room = one.figure.median, PANEL - NAMES - NUMBERS
  local width, class = math.max(1, math.min(n / most, 1) * room), CLASS[one.who]
  local cut = n > most and "→ " or ""
  return ([[
    <text class="%s" x="%d" y="%d" text-anchor="end">%s</text>
    <rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>
    <text class="%s" x="%.1f" y="%d">%s%s</text>]]):format(class == "ours" and class or "", NAMES - 8, y + 12,
    escaped(one.name), class, NAMES, y, width, ROW - 7, class == "ours" and class or "", NAMES + width + 6, y + 12, cut,
    tables.short(n))
end

local function panel(one, x, y)
  local most, at = longest_shown(one.list), TOP
  local out = { ('  <g transform="translate(%d %d)">'):format(x, y),
    ('    <text class="title" x="0" y="18">%s</text>'):format(escaped(one.title)) }
  local seen = {} -- the first row of each contestant is its plainest
  for _, entry in ipairs(one.list) do
    if entry.figure and not seen[entry.who] then
      table.insert(out, bar(entry, at, most))
      at = at + ROW
    end
    seen[entry.who] = true
  end
  table.insert(out, "  </g>")
  return table.concat(out, "\n"), at + GAP
end

-- The picture of panels {title, list (of tables.figures)}, two beside each other.
function M.draw(panels)
  local out, y = {}, 0
  for i = 1, #panels, 2 do
    local left, height = panel(panels[i], 0, y)
    table.insert(out, left)
    if panels[i + 1] then
      local right, other = panel(panels[i + 1], PANEL + GAP, y)
      table.insert(out, right)
      height = math.max(height, other)
    end
    y = y + height
  end
  table.insert(out, ('  <text x="0" y="%d">%s</text>'):format(y, escaped(FOOT)))
  y = y + 12
  local width = 2 * PANEL + GAP
  local size = ('width="%d" height="%d" viewBox="0 0 %d %d"'):format(width, y, width, y)
  table.insert(out, 1, ('<svg xmlns="http://www.w3.org/2000/svg" %s role="img">'):format(size))
  table.insert(out, 2, ("<title>%s</title>\n<style>\n%s\n</style>"):format(escaped(TITLE), STYLE))
  table.insert(out, "</svg>\n")
  return table.concat(out, "\n")
end

return M
