-- devgateway/files.lua: reads a file whole, for settings, fixtures and certificates.
-- Leans on io. Never keeps a file open.

local M = {}

-- The file's text; raises the system's message when it cannot be read.
function M.read(path)
  local file, why = io.open(path, "r")
  if not file then error(why, 0) end
  local text = file:read("*a")
  file:close()
  return text
end

return M
