-- request/target.lua: which method and path client:request{} may ask for: never another host, never a second line.
-- Leans on errors.

local errors = require("llm_gateway.errors")

local M = {}

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }

-- The error of a request's method, path or stream; nil when nothing is wrong with them.
function M.fault(request)
  local method = request.method or "POST"
  if not METHODS[method] then
    return errors.invalid("method", ("expected GET, POST, ..., got %q"):format(tostring(method)))
  end
  local path = request.path
  if type(path) ~= "string" then return errors.invalid("path", "expected text, got " .. type(path)) end
  if not path:find("^/[^/\\]") and path ~= "/" then return errors.invalid("path", "has to begin with one slash") end
  if path:find("[%s%c#]") then return errors.invalid("path", "may not contain blanks, control characters or #") end
  if request.stream ~= nil and type(request.stream) ~= "boolean" then
    return errors.invalid("stream", "expected true or false, got " .. type(request.stream))
  end
end

return M
