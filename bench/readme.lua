-- readme.lua: puts what a program of bench/ measured between two marks of bench/README.md.

local PATH = "bench/README.md"

local M = {}

-- What stands before, between and after the marks `<!-- NAME -->` and `<!-- end of NAME -->`.
local function parts(name)
  local file = assert(io.open(PATH))
  local text = file:read("*a")
  file:close()
  local _, head = text:find("<!-- " .. name .. " -->\n", 1, true)
  local tail = text:find("<!-- end of " .. name .. " -->", 1, true)
  assert(head and tail, PATH .. " has no marks for " .. name)
  return text:sub(1, head), text:sub(head + 1, tail - 1), text:sub(tail)
end

-- Replaces all that stands between the marks.
function M.put(name, text)
  local head, _, tail = parts(name)
  local file = assert(io.open(PATH, "w"))
  file:write(head, "\n", text, "\n", tail)
  file:close()
end

-- Replaces one section between the marks: from its headline, "### TITLE", to the next. Does nothing when there is none.
function M.put_section(name, title, text)
  local _, old = parts(name)
  local from = old:find("### " .. title .. "\n", 1, true)
  if not from then return end
  local to = old:find("\n##", from + 1, true) or #old
  M.put(name, (old:sub(1, from - 1) .. text .. old:sub(to)):gsub("^\n", ""):gsub("\n+$", "\n"))
end

return M
