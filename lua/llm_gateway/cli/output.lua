-- cli/output.lua: standard output; where it takes no more, that is told, not passed over as by print(). (A pipe whose
-- reader has left ends the program.)

local M = {}

-- What is said then. why: the system's words.
function M.unwritable(why)
  return "standard output: " .. tostring(why)
end

-- Writes a line. Raises when it cannot be written; what was only buffered is for whoever flushes at the end.
function M.line(text)
  local ok, why = io.stdout:write(text, "\n")
  if not ok then error(M.unwritable(why), 0) end
end

-- Writes a text so that it is seen at once. Raises when it cannot be written.
function M.write(text)
  local ok, why = io.stdout:write(text)
  if ok then ok, why = io.stdout:flush() end
  if not ok then error(M.unwritable(why), 0) end
end

return M
