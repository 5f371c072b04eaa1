-- request/target.lua: which method and path client:request{} may ask for: never another host, never a second line.
-- Leans on request/fault.lua.

local fault = require("llm_gateway.request.fault")

local M = {}

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }

-- The error of a request's method, path or stream; nil when nothing is wrong with them.
function M.fault(request)
  local method = request.method or "POST"
  if not METHODS[method] then
    return fault.new("method", ("expected GET, POST, ..., got %q"):format(tostring(method)))
  end
  local path = request.path
  if type(path) ~= "string" then return fault.new("path", "expected text, got " .. type(path)) end
  if not path:find("^/[^/\\]") and path ~= "/" then return fault.new("path", "has to begin with one slash") end
  if path:find("[%s%c#]") then return fault.new("path", "may not contain blanks, control characters or #") end
  if request.stream ~= nil and type(request.stream) ~= "boolean" then
    return fault.new("stream", "expected true or false, got " .. type(request.stream))
  end
end

return M
