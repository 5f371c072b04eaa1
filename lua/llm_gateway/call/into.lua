-- call/into.lua: the answer that the core wrote into a file, and the program's view of bytes on their way.
-- The core writes and removes the file (src/sink.h); it knows no JSON, so that an error that came with a 200 is found
-- here.

local errors = require("llm_gateway.errors")
local fields = require("llm_gateway.http.fields")
local hooks = require("llm_gateway.call.hooks")
local json = require("llm_gateway.json")
local timings = require("llm_gateway.http.timings")

local M = {}

local LONGEST_ERROR = 2 ^ 20 -- bytes

local function content_of(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local function may_be_error(answer)
  return fields.media_type(answer):find("json", 1, true) ~= nil and timings.of(answer).bytes <= LONGEST_ERROR
end

-- Of an answer that was written into `path`: when it is an error all the same, gives it its text and value, and
-- removes the file.
function M.read_error(answer, path)
  if answer.status > 299 or not may_be_error(answer) then return end
  local text = content_of(path)
  local value = text and json.decode(text)
  if type(value) ~= "table" or not errors.is_error_body(value) then return end
  os.remove(path)
  answer.text, answer.value = text, value
end

-- A pull that tells call.on_progress{sent, size, received} (bytes of the bodies) when they have changed. What that
-- raises ends the call.
function M.watched(call, pull)
  local last_sent, last_received
  return function(transfer)
    local sent, size, received = transfer:progress()
    if sent ~= last_sent or received ~= last_received then
      last_sent, last_received = sent, received
      hooks.call_over(transfer, call.on_progress, { sent = sent, size = size, received = received })
    end
    return pull(transfer)
  end
end

return M
