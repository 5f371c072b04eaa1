-- errors/failures.lua: words for what kept an exchange from its end: what happened, and what to do about it.
-- Leans on nothing. Facts come from the C core: class, clock, limit_name, text (libcurl's words), connected; and
-- from the call: seconds, limit_bytes, url_origin, streaming.

local M = {}

local CLOCK_WORDS = {
  connect = "no connection to %s within %g s (connect_timeout): is the host reachable?",
  silence = "%s sent nothing for %g s (timeout): raise it if the model thinks for longer",
  event = "%s sent no event for %g s (event_timeout): raise it if the model thinks for longer",
  total = "%s took more than %g s in all (total_timeout)",
}

local CLASS_WORDS = {
  resolve = "could not find the host of %s (%s): is base_url right?",
  connect = "could not connect to %s (%s): is the gateway running, and is base_url right?",
  tls = "no secure connection to %s (%s); ca_file names an authority of your own",
  proxy = "the proxy on the way to %s failed (%s): check proxy, or the environment's http_proxy",
  not_http = "%s does not speak HTTP as expected (%s): is base_url right?",
  lost = "the connection to %s was lost before the answer was complete (%s)",
  internal = "the request to %s could not be carried out (%s)",
  closed = "the client was closed during a call to %s (%s)",
}

local HEADERS_WORDS = "the answer's headers are too large (over 256 KiB in all, or 100 KiB in one line)"

local function too_large(facts)
  if facts.limit_name == "headers" then return HEADERS_WORDS end
  local what = facts.limit_name == "max_event_bytes" and "an event" or "the answer"
  local limit = facts.limit_bytes and (" (%d bytes)"):format(facts.limit_bytes) or ""
  return ("%s is larger than %s%s allows"):format(what, facts.limit_name, limit)
end

-- What to tell the user.
function M.message(facts)
  local origin = facts.url_origin or "the gateway"
  if facts.class == "too_large" then return too_large(facts) end
  if facts.class == "timeout" then return CLOCK_WORDS[facts.clock]:format(origin, facts.seconds or 0) end
  return (CLASS_WORDS[facts.class] or CLASS_WORDS.internal):format(origin, facts.text or "")
end

-- The kind of error that a failure is.
function M.kind(facts)
  if facts.class == "timeout" then return "timeout" end
  if facts.class == "closed" then return "cancelled" end
  if facts.class == "too_large" then return facts.streaming and "stream" or "server" end
  if facts.class == "lost" and facts.streaming then return "stream" end
  return "connection"
end

return M
