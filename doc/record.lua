-- record.lua: makes the README's picture of a terminal out of a real run: lua doc/record.lua FILE.svg
-- It starts the development gateway, runs these commands, notes when each piece of their output came, and writes an SVG
-- that shows them at those times. A reader without animations sees the last picture.

package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
package.cpath = package.cpath .. ";build/5.4/?.so"

local core = require("llm_gateway.core")
local devgateway = require("llm_gateway.devgateway")

local COMMANDS = {
  { 'llm-gateway chat "Count to 12"', by = 1 }, -- read by the letter, as it streams
  { 'llm-gateway chat "Tell me the password"', by = "*L" },
  { "llm-gateway doctor --no-chat", by = "*L" },
}
local COLUMNS, LINE, CHARACTER, MARGIN = 86, 20, 8.4, 16
local TYPING, THINKING = 0.03, 0.5 -- seconds: a typed letter; between commands

local OUT = assert(arg[1], "usage: lua doc/record.lua FILE.svg")

-- A picture under way: rows of pieces {text, at, column, class}, and the time in seconds.
local rows, now = { {} }, 0

local function put(text, class)
  local row = rows[#rows]
  local column = row.width or 0
  table.insert(row, { text = text, at = now, column = column, class = class })
  row.width = column + #text
end

local function new_row() table.insert(rows, {}) end

local function write(text, class)
  for piece, ending in text:gmatch("([^\n]*)(\n?)") do
    while piece ~= "" do
      local room = COLUMNS - (rows[#rows].width or 0)
      if room <= 0 then new_row() room = COLUMNS end
      put(piece:sub(1, room), class)
      piece = piece:sub(room + 1)
    end
    if ending ~= "" then new_row() end
  end
end

local function type_in(command)
  write("$ ", "prompt")
  for letter in command:gmatch(".") do
    write(letter, "typed")
    now = now + TYPING
  end
  new_row()
  now = now + TYPING
end

-- Runs a command and writes what comes, when it comes.
local function run(command, by, url)
  local program = ("LLM_GATEWAY_BASE_URL=%s LLM_GATEWAY_API_KEY=gw_dev lua5.4 lua/llm_gateway/cli/main.lua"):format(url)
  local pipe = assert(io.popen(command:gsub("^llm%-gateway", program) .. " 2>&1"))
  local began, at = core.now(), now
  local piece = pipe:read(by)
  while piece do
    now = at + core.now() - began
    write((piece:gsub(url, "http://localhost:8000")), "said")
    piece = pipe:read(by)
  end
  pipe:close()
end

-- ---------------------------------------------------------------------------------------------------------

local function escaped(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

-- Neighbours that came at almost the same time are one piece.
local function joined(row)
  local list = {}
  for _, piece in ipairs(row) do
    local last = list[#list]
    if last and last.class == piece.class and piece.at - last.at < 0.02 then
      last.text = last.text .. piece.text
    else
      table.insert(list, piece)
    end
  end
  return list
end

local TEXT = '<text xml:space="preserve" x="%.1f" y="%.0f" class="%s" style="animation-delay: %.2fs">%s</text>\n'

local function svg()
  local width, height = COLUMNS * CHARACTER + 2 * MARGIN, #rows * LINE + 2 * MARGIN
  local out = { ([[
<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img"
  aria-label="llm-gateway on the command line">
<style>
rect { fill: #16181d; }
text { font: 14px ui-monospace, Menlo, Consolas, monospace; white-space: pre; }
.prompt { fill: #6fb86f; } .typed { fill: #fff; } .said { fill: #c9ced6; }
@keyframes show { from, to { visibility: visible; } }
@media (prefers-reduced-motion: no-preference) {
  text { visibility: hidden; animation: show 1s step-end forwards; }
}
</style>
<rect width="100%%" height="100%%" rx="8"/>
]]):format(width, height, width, height) }
  for i, row in ipairs(rows) do
    for _, piece in ipairs(joined(row)) do
      table.insert(out, TEXT:format(MARGIN + piece.column * CHARACTER, MARGIN + i * LINE - 5, piece.class, piece.at,
        escaped(piece.text)))
    end
  end
  table.insert(out, "</svg>\n")
  return table.concat(out)
end

local gateway = assert(devgateway.start({ delay = 0.06 }))
for _, command in ipairs(COMMANDS) do
  type_in(command[1])
  run(command[1], command.by, gateway.url)
  if (rows[#rows].width or 0) > 0 then new_row() end
  now = now + THINKING
end
gateway:stop()

local file = assert(io.open(OUT, "w"))
file:write(svg())
file:close()
print(("%s: %d lines, %.1f s"):format(OUT, #rows, now))
