-- devgateway/audio.lua: speech and transcriptions, as far as bytes go: what was uploaded is told, what is asked for is
-- sent. Leans on exchange and json. It hears nothing and says nothing.

local json = require("llm_gateway.devgateway.json")

local SPEECH_PIECE = 64 * 1024

local NO_FORM = { kind = "validation", status = 400, code = "INVALID_FORM", location = { "body" },
  message = "The body is no multipart/form-data" }

local function headers_of(text)
  local about = {}
  for name, value in text:gmatch("([%w-]+):%s*([^\r\n]*)") do about[name:lower()] = value end
  return about
end

local function part_of(head, data)
  local about = headers_of(head)
  local disposition = about["content-disposition"] or ""
  local part = { name = disposition:match('[^e]name="([^"]*)"'), filename = disposition:match('filename="([^"]*)"'),
    type = about["content-type"], bytes = #data }
  if #data <= 256 then part.text = data end
  return part
end

-- The parts of a body whose parts are separated by `boundary`; nil when it is not whole.
local function parts_of(body, boundary)
  local parts, line = {}, "--" .. boundary
  if body:sub(1, #line) ~= line then return nil end
  local at = #line + 1
  while body:sub(at, at + 1) ~= "--" do
    local head_end = body:find("\r\n\r\n", at, true)
    local stop = head_end and body:find("\r\n" .. line, head_end, true)
    if not stop then return nil end
    parts[#parts + 1] = part_of(body:sub(at, head_end), body:sub(head_end + 4, stop - 1))
    at = stop + 2 + #line
  end
  return parts
end

local M = {}

-- Tells what a form had: {text, parts = {{name, filename, type, bytes, text (of short ones)}}}.
function M.transcribe(_, exchange)
  local boundary = (exchange:header("content-type") or ""):match('^multipart/form%-data;.*boundary="?([^";]+)')
  local parts = boundary and parts_of(exchange.body, boundary)
  if not parts then return exchange:refuse(NO_FORM) end
  local files = 0
  for _, part in ipairs(parts) do files = files + (part.filename and part.bytes or 0) end
  exchange:reply(200, { text = ("%d bytes of sound"):format(files), parts = json.array(parts) })
end

-- Sends as many bytes as the request's `bytes` says (1000), else its `input` as they stand, as audio.
function M.speak(_, exchange)
  local request = json.decode(exchange.body)
  if type(request) ~= "table" then return exchange:refuse(NO_FORM) end
  local size = tonumber(request.bytes)
  if not size then return exchange:answer(200, tostring(request.input), { ["content-type"] = "audio/mpeg" }) end
  exchange:answer_in_pieces(200, size, SPEECH_PIECE, { ["content-type"] = "audio/mpeg" })
end

return M
