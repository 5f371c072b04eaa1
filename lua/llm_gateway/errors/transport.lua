-- errors/transport.lua: words for what kept an exchange from its end: what happened, and what to do about it.
-- Leans on errors/request_id.lua and on http/url.lua. Facts come from the C core: class, clock, limit_name,
-- text (libcurl's words), sent, lost_unanswered, not_processed, proxy_status; and from the call (see M.of_call):
-- seconds, limit_bytes, url_origin, proxied, profile (the gateway's, or nil). A stream adds streaming, started and
-- partial.

local credentials = require("llm_gateway.http.url")
local errors = require("llm_gateway.errors.object")
local header_fields = require("llm_gateway.http.fields")
local lazy = require("llm_gateway.lazy")
local secrets = require("llm_gateway.secrets")

require("llm_gateway.secrets.redact") -- now: when a call fails, the program may be out of descriptors

local request_ids = lazy("llm_gateway.errors.request_id")

local M = {}

-- By clock: the option that sets it, and what to say.
local CLOCKS = {
  connect = { "connect_timeout", "no connection to %s within %g s (connect_timeout): is the host reachable?" },
  silence = { "timeout", "%s sent nothing for %g s (timeout): raise it if the model thinks for longer" },
  event = { "event_timeout", "%s sent no event for %g s (event_timeout): raise it if the model thinks for longer" },
  total = { "total_timeout", "%s took more than %g s in all (total_timeout)" },
}

local PROXY_ADVICE = "check the option proxy, or the environment's http_proxy, https_proxy and all_proxy"
local PLAIN_ADVICE = 'its Content-Encoding is none; headers = { ["Accept-Encoding"] = "identity" } reads it as it is'

local CLASS_WORDS = {
  resolve = "could not find the host of %s (%s): is base_url right?",
  connect = "could not connect to %s (%s): is the gateway running, and is base_url right?",
  tls = "no secure connection to %s (%s): is base_url right, and does the server speak TLS 1.2 or later?",
  trust = "no secure connection to %s (%s)",
  proxy = "the proxy on the way to %s failed (%s): " .. PROXY_ADVICE,
  not_http = "%s does not speak HTTP as expected (%s): is base_url right?",
  lost = "the connection to %s was lost before the answer was complete (%s)",
  read_file = "a file of the request to %s could not be read (%s)",
  write_file = "the answer of %s could not be written (%s)",
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

-- Which field of the request names the file.
local FILE_FIELDS = { read_file = "multipart", write_file = "into" }

-- The kind of error that a failure is.
function M.kind(facts)
  if facts.class == "timeout" then return "timeout" end
  if facts.class == "closed" then return "cancelled" end
  if FILE_FIELDS[facts.class] then return "validation" end
  if facts.class == "too_large" then return facts.streaming and "stream" or "server" end
  if facts.class == "lost" and facts.streaming then return "stream" end
  return "connection"
end

local FINAL_CLASSES = { trust = true, internal = true }

-- Whether it would be the same each time, and nothing was sent.
function M.is_final(facts)
  return FINAL_CLASSES[facts.class] == true
end

-- Whether the request went to nobody, and the next attempt may have more luck.
local function is_transient(facts)
  if facts.sent or FINAL_CLASSES[facts.class] then return false end
  local status = facts.proxy_status or 0
  if status >= 400 and not errors.is_retryable_status(status) then return false end
  return facts.clock == "connect" or M.kind(facts) == "connection"
end

-- Whether the server has most likely not read the request although it was sent: it closed the kept connection as the
-- request came, or said that it did nothing with it.
local function is_unread(facts)
  return facts.lost_unanswered == true or facts.not_processed == true
end

-- More to do about it than its class tells; nil when there is nothing.
local function advice(facts, text)
  if facts.proxy_status == 407 then return "put its credentials into proxy, as in http://user:password@host:port" end
  if facts.proxied and facts.class ~= "proxy" and is_transient(facts) then
    return "a proxy may be in use: " .. PROXY_ADVICE
  end
  if text:find("client certificate") or text:find("private key") then return "are client_cert and client_key right?" end
  if text:find("issuer certificate") or text:find("self.signed") then
    return "ca_file names an authority of your own"
  end
  if text:find("Unrecognized content encoding", 1, true) then return PLAIN_ADVICE end
  if text:find("certificate required") then return "client_cert and client_key name a certificate of your own" end
end

local function words(facts, text)
  local origin = facts.url_origin or "the gateway"
  if facts.class == "timeout" then return CLOCKS[facts.clock][2]:format(origin, facts.seconds or 0) end
  return (CLASS_WORDS[facts.class] or CLASS_WORDS.internal):format(origin, text)
end

-- What to tell the user. libcurl may quote a proxy as it stands in the environment, with its password.
function M.message(facts)
  if facts.class == "too_large" then return too_large(facts) end
  local text = credentials.without(facts.text or "")
  local more = advice(facts, text)
  return words(facts, text) .. (more and (" (%s)"):format(more) or "")
end

-- The error of an exchange that failed, out of the C core's facts and the call's: also headers (of an answer that had
-- begun), partial, attempts, started, secrets.
function M.of_failure(facts)
  local fields = secrets.redact({
    kind = M.kind(facts), message = M.message(facts), headers = facts.headers, partial = facts.partial,
    request_id = facts.headers and request_ids.of(nil, facts.headers, facts.profile) or nil,
  }, facts.secrets)
  fields.field = facts.field or FILE_FIELDS[facts.class]
  fields.attempts, fields.started = facts.attempts, facts.started
  fields.transient, fields.unread = is_transient(facts), is_unread(facts)
  local err = errors.new(fields)
  return M.is_final(facts) and errors.finally(err) or err
end

-- The same for a call: facts are the core's alone; the call has options, attempts, secrets, and of an answer that had
-- begun its `head`.
function M.of_call(call, facts)
  local o = call.options
  facts.seconds = facts.clock and o[CLOCKS[facts.clock][1]]
  facts.limit_bytes = facts.limit_name and o[facts.limit_name]
  facts.url_origin, facts.attempts, facts.secrets = o.origin, call.attempts, call.secrets
  facts.proxied, facts.profile = o.via ~= nil, o.profile
  facts.headers = call.head and header_fields.read(call.head)
  return M.of_failure(facts)
end

return M
