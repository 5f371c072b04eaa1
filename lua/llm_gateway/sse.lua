-- sse.lua: the parser of server-sent events (WHATWG HTML, "Server-sent events"), for any bytes from anywhere.
-- Leans on the C core, which does the parsing. Knows neither HTTP nor JSON.
--
--   local parser = require("llm_gateway.sse").new()
--   parser:feed(bytes)
--   for event in parser:events() do print(event.event, event.data, event.id) end
--
-- Methods from C: feed(bytes) returns the parser, or nil and a message once an event is over the limit (which
-- sticks); retry() the server's reconnection time in milliseconds or nil.

local core = require("llm_gateway.core")
local lazy = require("llm_gateway.lazy")

local names = lazy("llm_gateway.names")

local DEFAULT_MAX_EVENT_BYTES = 16 * 2 ^ 20

local methods = core.sse_methods

local pull, pull_last = methods.pull, methods.pull_last

local function refuse(name)
  error(("%s: expected a parser, got nil (is it parser:%s()?)"):format(name, name), 3)
end

-- The next event, {event, data, id}; nil when none is complete. The table is made here: to LuaJIT that is half the
-- price of the calls by which C would fill it.
function methods.next(parser)
  if parser == nil then refuse("next") end
  local data, event, id = pull(parser)
  return data and { event = event or "message", data = data, id = id or "" } or nil
end

-- The event that lacks only its blank line, or nil; starts anew.
function methods.finish(parser)
  if parser == nil then refuse("finish") end
  local data, event, id = pull_last(parser)
  return data and { event = event or "message", data = data, id = id or "" } or nil
end

-- Iterates over the events that are complete.
function methods.events(parser)
  if parser == nil then refuse("events") end
  return methods.next, parser
end

-- A new parser. Option: max_event_bytes (16 MiB; false: no limit), beyond which an event is refused. Raises for any
-- other option.
local function new(options)
  options = options == nil and {} or options
  if type(options) ~= "table" then error("sse.new: expected a table of options, got " .. type(options), 2) end
  if next(options) ~= nil then names.only(options, { "max_event_bytes" }, "sse.new", 2) end
  local max = options.max_event_bytes
  if max == nil then max = DEFAULT_MAX_EVENT_BYTES end
  if max and (type(max) ~= "number" or max ~= max or max < 1) then
    error("max_event_bytes: expected a number of bytes from 1 up, or false for no limit, got " .. tostring(max), 2)
  end
  return core.sse(max or 0)
end

return { new = new }
