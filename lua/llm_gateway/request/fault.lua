-- request/fault.lua: the error of a request that fails its own checks and is not sent.
-- Leans on errors, the only maker of error tables.

local errors = require("llm_gateway.errors")

local M = {}

-- The `validation` error of the field at this path ("messages[2].role"; "" for the request itself).
function M.new(path, message)
  local said = path == "" and message or path .. ": " .. message
  return errors.new({ kind = "validation", message = said, field = path ~= "" and path or nil })
end

return M
