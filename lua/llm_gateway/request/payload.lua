-- request/payload.lua: what client:request{} sends and where its answer goes: JSON, text, a form, a file.
-- Leans on multipart.lua for forms. Opens no file: the core does.

local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")
local multipart = require("llm_gateway.request.multipart")

local M = {}

local shown = checks.shown

local function content_type(headers)
  for name, value in pairs(headers or {}) do
    if name:lower() == "content-type" then return value end
  end
end

-- Text says nothing of what it is.
local function body_fault(body, type_given)
  if body == nil or type(body) == "table" then return nil end
  if type(body) ~= "string" then return "expected a table, which is sent as JSON, or text, got " .. shown(body) end
  if type_given then return nil end
  return 'expected a table, which is sent as JSON; text needs headers = {["Content-Type"] = ...}'
end

local function place_fault(request)
  local into = request.into
  if into == nil then return nil end
  if type(into) ~= "string" or into == "" or into:find("%z") then return "expected a path, got " .. shown(into) end
  if request.stream then return "is for answers that are no stream" end
end

-- Puts into `call` what a request has: value (for JSON), body (text), multipart (parts), into, on_progress. `headers`
-- are the client's. Returns nothing, or an error of kind `validation`.
function M.put(call, request, headers)
  local type_given = content_type(request.headers) or content_type(headers)
  local message = body_fault(request.body, type_given)
  if message then return errors.invalid("body", message) end
  message = place_fault(request)
  if message then return errors.invalid("into", message) end
  message = request.on_progress ~= nil and checks.callback(request.on_progress)
  if message then return errors.invalid("on_progress", message) end
  call.into, call.on_progress = request.into, request.on_progress
  if type(request.body) == "string" then call.body = request.body else call.value = request.body end
  if request.multipart == nil then return nil end
  if request.body ~= nil then return errors.invalid("multipart", "is there beside body: there can be only one") end
  if type_given then return errors.invalid("headers", "multipart has a Content-Type of its own") end
  local where
  call.multipart, message, where = multipart.read(request.multipart, "multipart")
  if not call.multipart then return errors.invalid(where, message) end
end

return M
