-- misdeeds.lua: the faults that play on the raw socket: what they send, how, and how they end.
-- Each is a function of the socket (raw.lua) and a context: done (a completion), body (the request's),
-- events (the stream's texts) and options. Leans on json; the caller closes the socket.
-- Memory stays constant however much a fault sends.

local json = require "llm_gateway.json"

local MIB = 2 ^ 20
local BLOCK = 65536
local EVENT_STREAM = { "Content-Type: text/event-stream", "Cache-Control: no-cache" }

local function with(list, ...)
  local longer = {}
  for index, item in ipairs(list) do longer[index] = item end
  for _, item in ipairs({ ... }) do longer[#longer + 1] = item end
  return longer
end

local function open_stream(out, plain_length)
  local exchange = out.exchange
  exchange.streaming = true
  exchange.counters.streams_open = exchange.counters.streams_open + 1
  return out:head("200 OK", plain_length and EVENT_STREAM or with(EVENT_STREAM, "Transfer-Encoding: chunked"))
end

local function some_events(out, context, count)
  open_stream(out)
  for index = 1, math.min(count, #context.events) do out:chunk(context.events[index]) end
end

local function json_head(out, length)
  return out:head("200 OK", { "Content-Type: application/json", string.format("Content-Length: %d", length) })
end

local function plain_reply(out, context)
  local text = json.encode(context.done:reply())
  json_head(out, #text)
  out:write(text)
end

local function whole_stream(out, context)
  some_events(out, context, #context.events)
  out:chunk("data: [DONE]\n\n")
  out:write("0\r\n\r\n")
end

local function ordinary(out, context)
  return (context.body.stream and whole_stream or plain_reply)(out, context)
end

local F = {}

function F.never(out) out:hold() end

function F.drop() end

function F.stall(out, context)
  some_events(out, context, context.options.events or 3)
  out:hold()
end

F["stall-body"] = function(out, context)
  local text = json.encode(context.done:reply())
  json_head(out, #text)
  out:write(text:sub(1, math.floor(#text / 2)))
  out:hold()
end

function F.cut(out, context)
  some_events(out, context, context.options.events or 3)
  out:write("ff\r\ndata: {\"id\":\"cut")
end

F["cut-plain"] = function(out, context)
  open_stream(out, true)
  for index = 1, math.min(context.options.events or 3, #context.events) do
    out:write(context.events[index])
  end
end

function F.reset(out, context)
  if context.options.events then some_events(out, context, context.options.events) end
  if context.options.after then out:hold(context.options.after) end
  out:close(true)
end

-- The same answer as ever, but every byte by itself.
F["one-byte"] = function(out, context)
  local bytes = {}
  local recorder = setmetatable({ write = function(_, text) bytes[#bytes + 1] = text return true end },
    { __index = out })
  ordinary(recorder, context)
  for byte in table.concat(bytes):gmatch(".") do
    if not out:write(byte) then return end
    if context.options.every then out:hold(context.options.every) end
  end
  out:hold(context.options.linger or 1)
end

function F.garbage(out)
  out:write("\0\1\2 this is no HTTP at all \255\254\r\n\r\n")
end

F["endless-line"] = function(out, context)
  open_stream(out)
  out:chunk("data: ")
  local block = string.rep("x", BLOCK)
  out:repeat_block(string.format("%x\r\n%s\r\n", BLOCK, block), context.options.size or 64 * MIB)
  out:hold()
end

F["wrong-type"] = function(out)
  local page = "<html><body><h1>It works!</h1></body></html>"
  out:head("200 OK", { "Content-Type: text/html", "Content-Length: " .. #page })
  out:write(page)
end

function F.heartbeat(out, context)
  open_stream(out)
  while out:chunk(": ping\n\n") and out:hold(context.options.every or 0.1) do end
end

local function padded_body(out, before, after, size)
  local fill = math.max(0, size - #before - #after)
  out:write(before)
  out:repeat_block(string.rep("a", BLOCK), fill - fill % BLOCK)
  out:write(string.rep("a", fill % BLOCK))
  out:write(after)
end

function F.big(out, context)
  local size = context.options.size or 100 * MIB
  local before = '{"id":"big","object":"chat.completion","created":1,"model":"gpt-4","choices":[{"index":0,'
    .. '"finish_reason":"stop","message":{"role":"assistant","content":"'
  json_head(out, size)
  padded_body(out, before, '"}}]}', size)
end

F["big-event"] = function(out, context)
  local size = context.options.size or 20 * MIB
  open_stream(out)
  out:write(string.format("%x\r\n", size))
  padded_body(out, 'data: {"choices":[{"index":0,"delta":{"content":"',
    '"},"finish_reason":"stop"}]}\n\n', size)
  out:write("\r\n")
  out:chunk("data: [DONE]\n\n")
  out:write("0\r\n\r\n")
end

-- Equal events in blocks of about 64 KiB, each block one chunk of the encoding, made once.
function F.flood(out, context)
  open_stream(out)
  out:chunk(context.events[1])
  local events = string.rep(context.events[2], math.floor(BLOCK / #context.events[2]))
  local block = string.format("%x\r\n%s\r\n", #events, events)
  if not out:repeat_block(block, context.options.size or 64 * MIB) then return end
  out:chunk(context.events[#context.events])
  out:chunk("data: [DONE]\n\n")
  out:write("0\r\n\r\n")
end

function F.empty(out)
  open_stream(out)
  out:write("0\r\n\r\n")
end

F["no-done"] = function(out, context)
  some_events(out, context, #context.events)
  out:hold()
end

F["close-after"] = function(out, context)
  out.silent_close = true
  ordinary(out, context)
end

-- The worst moment for a kept connection to end: after the next request has been sent.
F["drop-next"] = function(out, context)
  out.silent_close = true
  ordinary(out, context)
  if out:await_more() then out:hold(context.options.after or 0) end
end

return F
