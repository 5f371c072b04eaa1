-- devgateway/misdeeds.lua: the faults that play on the connection itself: what they send, how, and how they end.
-- Each is a function of the answer's way out (raw.lua or framed.lua) and a context: done (a completion), body (the
-- request's), events (the stream's texts) and options, of which `as` says how a body's length is told: chunked,
-- close or length. Leans on json; the caller closes the way out.
-- Memory stays constant however much a fault sends.

local json = require("llm_gateway.devgateway.json")

local MIB = 2 ^ 20
local BLOCK = 65536
local EVENT_STREAM = { "Content-Type: text/event-stream", "Cache-Control: no-cache" }

local UNTOLD = 2 ^ 40 -- the length of what has no end
local DONE = "data: [DONE]\n\n"

local function told(context, default, length)
  local as = context.options.as or default
  return as == "length" and length or as
end

-- `length`: the bytes that the whole stream would have.
local function open_stream(out, context, default, length)
  local exchange = out.exchange
  exchange.streaming = true
  exchange.counters.streams_open = exchange.counters.streams_open + 1
  return out:head("200 OK", EVENT_STREAM, told(context, default or "chunked", length or UNTOLD))
end

local function some_events(out, context, count, default)
  open_stream(out, context, default, #table.concat(context.events) + #DONE)
  for index = 1, math.min(count, #context.events) do out:piece(context.events[index]) end
end

local function json_head(out, context, length)
  return out:head("200 OK", { "Content-Type: application/json" }, told(context, "length", length))
end

local function plain_reply(out, context)
  local text = json.encode(context.done:reply())
  json_head(out, context, #text)
  out:piece(text)
  out:finish()
end

local function whole_stream(out, context)
  some_events(out, context, #context.events)
  out:piece(DONE)
  out:finish()
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
  json_head(out, context, #text)
  out:piece(text:sub(1, math.floor(#text / 2)))
  out:hold()
end

function F.cut(out, context)
  some_events(out, context, context.options.events or 3)
  out:cut("data: {\"id\":\"cut")
end

-- Ends between two events, as if all were said.
F["cut-plain"] = function(out, context)
  some_events(out, context, context.options.events or 3, "close")
  out:finish()
end

function F.reset(out, context)
  if context.options.events then some_events(out, context, context.options.events) end
  if context.options.after then out:hold(context.options.after) end
  out:reset(context.options)
end

-- An end that is announced, and comes too soon.
function F.goaway(out, context)
  if context.options.events then some_events(out, context, context.options.events) end
  out:announce_end(context.options.last)
end

-- The same answer as ever, but every byte by itself.
F["one-byte"] = function(out, context)
  local dribble = setmetatable({}, { __index = out })
  function dribble.write(_, text)
    for byte in text:gmatch(".") do
      if not out:write(byte) then return false end
      if context.options.every then out:hold(context.options.every) end
    end
    return true
  end
  ordinary(dribble, context)
  out.finished = dribble.finished
  if not out.finished then out:hold(context.options.linger or 1) end
end

function F.garbage(out, context)
  if context.options.events then some_events(out, context, context.options.events) end
  out:garbage()
end

F["endless-line"] = function(out, context)
  open_stream(out, context)
  out:piece("data: ")
  out:repeat_piece(string.rep("x", BLOCK), context.options.size or 64 * MIB)
  out:hold()
end

F["wrong-type"] = function(out, context)
  local page = "<html><body><h1>It works!</h1></body></html>"
  out:head("200 OK", { "Content-Type: text/html" }, told(context, "length", #page))
  out:piece(page)
  out:finish()
end

function F.heartbeat(out, context)
  open_stream(out, context)
  while out:piece(": ping\n\n") and out:hold(context.options.every or 0.1) do end
end

local function padded_body(out, before, after, size)
  local fill = math.max(0, size - #before - #after)
  out:piece(before)
  out:repeat_piece(string.rep("a", BLOCK), fill - fill % BLOCK)
  if fill % BLOCK > 0 then out:piece(string.rep("a", fill % BLOCK)) end
  out:piece(after)
end

function F.big(out, context)
  local size = context.options.size or 100 * MIB
  local before = '{"id":"big","object":"chat.completion","created":1,"model":"gpt-4","choices":[{"index":0,'
    .. '"finish_reason":"stop","message":{"role":"assistant","content":"'
  json_head(out, context, size)
  padded_body(out, before, '"}}]}', size)
  out:finish()
end

F["big-event"] = function(out, context)
  local size = context.options.size or 20 * MIB
  open_stream(out, context, nil, size + #DONE)
  if context.options.after then out:hold(context.options.after) end
  padded_body(out, 'data: {"choices":[{"index":0,"delta":{"content":"',
    '"},"finish_reason":"stop"}]}\n\n', size)
  out:piece(DONE)
  out:finish()
end

-- Equal events in blocks of about 64 KiB, each block one piece, made once.
function F.flood(out, context)
  open_stream(out, context)
  out:piece(context.events[1])
  local events = string.rep(context.events[2], math.floor(BLOCK / #context.events[2]))
  if not out:repeat_piece(events, context.options.size or 64 * MIB) then return end
  out:piece(context.events[#context.events])
  out:piece(DONE)
  out:finish()
end

function F.empty(out, context)
  open_stream(out, context, nil, 0)
  out:finish()
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
