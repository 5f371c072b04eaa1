-- transports_cases.lua: what each fault of the development gateway must come out as.
-- A case: the fault, with its options; how the body's length may be told (`as`); what the client is told to bear
-- (`options`); and what it must see: `chunks` of the whole answer, then the normal end or an error of `kind`.
-- Where HTTP/2 differs, `framed` says how (false: it is not tried); where the way to tell the length matters, `by` and
-- `framed_by` do.

local support = require "spec.support"

local LOST = "was lost before the answer was complete"
local BROKE = "the stream broke off: its last chunk never came"
local SILENT = "sent nothing for 0%.2 s %(timeout%): raise it if the model thinks for longer"
local NO_EVENT = "sent no event for 0%.2 s %(event_timeout%): raise it if the model thinks for longer"
local NO_HTTP = "does not speak HTTP as expected .+: is base_url right%?"
local EMPTY = "the answer was an event stream without events"

local ALL = 14 -- chunks: the role, twelve words, the end
local ANY = { "chunked", "close", "length" }
local ENDLESS = { "chunked", "close" }
local QUICK = { timeout = 0.2 }
local SMALL = { max_event_bytes = 100000, max_response_bytes = 100000 }

-- A reset overtakes what was sent before it: chunks may be missing at the end, and when the head was among them
-- there is no stream at all. Of HTTP/2, libcurl 7.88 forgets frames that it read together with what ends them, be
-- that a reset or the connection's end.
local function swallowed(more)
  local case = { at_most = true, kinds = { stream = true, connection = true }, words = { LOST, BROKE, EMPTY } }
  for name, value in pairs(more or {}) do case[name] = value end
  return case
end

local NOT_PROCESSED = { words = "refused to process", attempts = 3, retryable = true }

return {
  -- Nothing comes.
  { "never", chunks = 0, kind = "timeout", words = SILENT, options = QUICK },
  { "slow;seconds=5", chunks = 0, kind = "timeout", words = SILENT, options = QUICK },
  { "drop", chunks = 0, kind = "connection", words = LOST },
  { "reset", chunks = 0, kind = "connection", words = LOST },
  { "reset;tcp=1", chunks = 0, kind = "connection", words = LOST },
  { "reset;code=7", chunks = 0, kind = "connection", words = LOST, -- HTTP/2's "refused"
    framed = NOT_PROCESSED },
  { "goaway", chunks = 0, kind = "connection", words = LOST },
  { "goaway;last=0", chunks = 0, kind = "connection", words = LOST,
    framed = support.tells_goaway and NOT_PROCESSED or nil },
  { "garbage", chunks = 0, kind = "connection", words = NO_HTTP, framed = { words = LOST } },

  -- It breaks off.
  { "stall", as = ANY, chunks = 3, kind = "timeout", words = SILENT, options = QUICK },
  { "stall-body", as = ANY, chunks = 0, kind = "timeout", words = SILENT, options = QUICK },
  { "cut", as = ANY, chunks = 3, kind = "stream", words = LOST, by = { close = { words = BROKE } },
    framed = swallowed({ words = LOST }) },
  { "cut;events=0", as = ANY, chunks = 0, kind = "stream", words = LOST, by = { close = { words = EMPTY } },
    framed = swallowed({ words = LOST }) },
  { "cut-plain", as = ANY, chunks = 3, kind = "stream", words = BROKE, by = { length = { words = LOST } },
    framed_by = { length = swallowed({ words = LOST }) } },
  swallowed({ "reset;events=2", as = ANY, chunks = 2, words = LOST }),
  swallowed({ "reset;events=2;tcp=1", as = ANY, chunks = 2, words = LOST }),
  swallowed({ "reset;events=2;code=0", as = ANY, chunks = 2 }), -- HTTP/2's "no error"
  { "goaway;events=3", as = ANY, chunks = 3, kind = "stream", words = LOST, by = { close = { words = BROKE } },
    framed = swallowed({ words = LOST }) },
  -- Who answers what they say they do nothing with is taken at their word where the answer came too late to be seen.
  { "goaway;events=3;last=0", chunks = 3, kind = "stream", words = LOST, framed = support.is_curl8 and swallowed() },
  { "garbage;events=3", as = ANY, chunks = 3, kind = "stream", words = LOST,
    by = { close = { words = BROKE } }, framed = swallowed() },

  -- It comes in an odd way, but whole.
  { "one-byte;linger=0.02", as = ANY, chunks = ALL },
  { "close-after", as = ANY, chunks = ALL, framed = { next = "connection" } },
  { "drop-next", chunks = ALL, next = "connection" },
  { "no-done", as = ANY, chunks = ALL, options = QUICK },
  swallowed({ "reset;events=14", as = ANY, chunks = ALL }),
  { "cut;events=14", as = ANY, chunks = ALL, framed = swallowed() },
  { "cut-plain;events=14", as = ANY, chunks = ALL, framed_by = { length = swallowed() } },

  -- It is none of what was asked for.
  { "wrong-type", as = ANY, chunks = 0, kind = "stream",
    words = "expected an event stream or a chat completion, got text/html: <html>" },
  { "empty", as = ANY, chunks = 0, kind = "stream", words = EMPTY },
  { "heartbeat;every=0.01", as = ENDLESS, chunks = 0, kind = "timeout", words = NO_EVENT,
    options = { event_timeout = 0.2 } },
  { "endless-line;size=2000000", as = ENDLESS, chunks = 0, kind = "stream", options = SMALL,
    words = "an event is larger than max_event_bytes %(100000 bytes%) allows" },
  { "big-event;size=200000", as = ANY, chunks = 0, kind = "stream", options = SMALL,
    words = "an event is larger than max_event_bytes %(100000 bytes%) allows" },
  { "big;size=500000", as = ANY, chunks = 0, kind = "server", options = SMALL,
    words = "the answer is larger than max_response_bytes %(100000 bytes%) allows" },

  -- The gateway is not well.
  { "status;code=503;retry_after=0.01", chunks = 0, kind = "server", status = 503, retryable = true, attempts = 3,
    words = "status 503 on demand" },
  { "status;code=404", chunks = 0, kind = "not_found", status = 404, words = "status 404 on demand" },
  { "status;code=500;retry_after=0.01", chunks = 0, kind = "server", status = 500, retryable = true, attempts = 3,
    words = "status 500 on demand" },
  { "flaky;times=2;retry_after=0.01", chunks = ALL, attempts = 3 },
  { "flaky;times=1;fault=drop", chunks = 0, kind = "connection", words = LOST },

  -- Asked for without a stream.
  { "never", plain = true, chunks = 0, kind = "timeout", words = SILENT, options = QUICK },
  { "drop", plain = true, chunks = 0, kind = "connection", words = LOST },
  { "reset", plain = true, chunks = 0, kind = "connection", words = LOST },
  { "garbage", plain = true, chunks = 0, kind = "connection", words = NO_HTTP, framed = { words = LOST } },
  { "stall-body", plain = true, as = ANY, chunks = 0, kind = "timeout", words = SILENT, options = QUICK },
  { "one-byte;linger=0.02", plain = true, as = ANY, chunks = ALL },
  { "close-after", plain = true, as = ANY, chunks = ALL, framed = { next = "connection" } },
  { "drop-next", plain = true, as = { "chunked", "length" }, chunks = ALL, next = "connection" },
  { "big;size=500000", plain = true, as = ANY, chunks = 0, kind = "server", options = SMALL,
    words = "the answer is larger than max_response_bytes %(100000 bytes%) allows" },
  { "wrong-type", plain = true, as = ANY, chunks = 0, kind = "server", status = 200,
    words = "expected JSON, got text/html: <html>" },
}
