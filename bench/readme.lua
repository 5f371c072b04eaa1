-- readme.lua: puts what a program of bench/ measured between two marks of bench/README.md.

local PATH = "bench/README.md"

-- Replaces what stands between `<!-- NAME -->` and `<!-- end of NAME -->`.
return function(name, text)
  local file = assert(io.open(PATH))
  local old = file:read("*a")
  file:close()
  local first, last = "<!-- " .. name .. " -->\n", "<!-- end of " .. name .. " -->"
  local _, head = old:find(first, 1, true)
  local tail = old:find(last, 1, true)
  assert(head and tail, PATH .. " has no marks for " .. name)
  file = assert(io.open(PATH, "w"))
  file:write(old:sub(1, head), "\n", text, "\n", old:sub(tail))
  file:close()
end
