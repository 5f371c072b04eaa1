-- reply/init.lua: what a gateway answered, as a value: the decoded body, with methods beside its own fields.
-- Leans on json, and on content.lua, info.lua and parsed.lua beside it. A reply's fields are exactly the gateway's.
-- What else is known of it is kept apart.

local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")

local content = lazy("llm_gateway.reply.content")
local info_of = lazy("llm_gateway.reply.info")
local parsed = lazy("llm_gateway.reply.parsed")

local M = {}

local answers = setmetatable({}, { __mode = "k" }) -- by reply: the answer that it was, or its info and text

local FOR_STREAMS = "this is a stream, no reply: stream:collect() reads it into one, "
  .. "for text in stream:texts() gives its text in pieces"

local function is_stream(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.is_stream == true
end

local function check(reply, name, level)
  if type(reply) ~= "table" then
    error(("%s: expected a reply, got %s (is it reply:%s()?)"):format(name, type(reply), name), level + 1)
  end
  if is_stream(reply) then error(name .. ": " .. FOR_STREAMS, level + 1) end
end

-- The text of a reply in any dialect: of a chat its first choice's; "" where it has none (it may have tool calls).
function M.text(reply)
  check(reply, "text", 2)
  return content.of_reply(reply)
end

-- What the model thought: text ("" without any), and the details that the next turn sends back (a list), or nil.
-- It reads a chunk too.
function M.reasoning(reply)
  check(reply, "reasoning", 2)
  return content.reasoning(reply)
end

-- The text of the body as it came; nil of a reply that was collected from a stream, and of anything else.
function M.raw(reply)
  check(reply, "raw", 2)
  local answer = answers[reply]
  return answer and answer.text
end

-- {status, headers, attempts, timings = {dns, connect, tls, first_byte, total, bytes}}, and what the gateway tells of
-- request_id, cost, cache, provider, model, upstream_attempts and rate_limit (reply/info.lua), of a reply; of anything
-- else nil.
function M.info(reply)
  if is_stream(reply) then return reply:info() end
  check(reply, "info", 2)
  local answer = answers[reply]
  if not answer then return nil end
  answer.info = answer.info or info_of.of(answer)
  return info_of.complete(answer.info, reply)
end

-- The value that the text is, checked against the request's response_format; or nil, err (see reply/parsed.lua).
function M.parsed(reply)
  check(reply, "parsed", 2)
  return parsed.of(reply, M.text(reply))
end

-- One of these by its name, for who is called instead: it raises at `level` above the caller.
function M.read(name, reply, level)
  if name ~= "info" or not is_stream(reply) then check(reply, name, level + 1) end
  return M[name](reply)
end

local methods = { text = M.text, parsed = M.parsed, reasoning = M.reasoning, raw = M.raw, info = M.info }

local metatable = { __index = methods }

-- What a `for` over it would call.
function metatable.__call()
  error("this is a whole reply, no stream: ask with stream = true", 2)
end

-- For who prints it. The fields are the gateway's.
function metatable.__tostring(reply)
  local text = M.text(reply)
  return text == "" and "llm_gateway reply" or "llm_gateway reply: " .. text
end

local list_metatable = json.list_mark({ __index = methods, __call = metatable.__call })

-- Makes a reply of a decoded body, which was this answer's or a part of it. An empty list keeps its mark as a list.
function M.of_answer(body, answer)
  answer.value, answer.whole = nil, nil -- before 5.2 a weak key that its value refers to is never collected
  answers[body] = answer
  return setmetatable(body, getmetatable(body) and json.is_marked_list(body) and list_metatable or metatable)
end

-- Makes a reply of a value that no body has as it is; `info` is what it tells.
function M.new(value, info)
  return M.of_answer(value, { info = info })
end

-- For a stream that is asked for what only a reply has.
function M.refuse_stream(name)
  return function() error(name .. ": " .. FOR_STREAMS, 2) end
end

return M
