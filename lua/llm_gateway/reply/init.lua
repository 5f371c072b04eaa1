-- reply/init.lua: what a gateway answered, as a value: the decoded body, with methods beside its own fields.
-- Leans on json.lua. A reply's fields are exactly the gateway's; what else is known of it is kept apart.

local json = require("llm_gateway.json")
local structured = require("llm_gateway.helpers.structured")

local M = {}

local infos = setmetatable({}, { __mode = "k" }) -- by reply

local function part_text(part)
  return type(part) == "table" and type(part.text) == "string" and part.text or ""
end

-- A message's content is text, or a list of parts some of which have text.
function M.content_text(content)
  if type(content) == "string" then return content end
  if type(content) ~= "table" then return "" end
  local texts = {}
  for i, part in ipairs(content) do texts[i] = part_text(part) end
  return table.concat(texts)
end

-- The text of a chat's first choice; "" where it has none (it may have tool calls instead).
function M.text(reply)
  if type(reply) ~= "table" then
    error(("text: expected a reply, got %s (is it reply:text()?)"):format(type(reply)), 2)
  end
  local choice = type(reply.choices) == "table" and reply.choices[1]
  local message = type(choice) == "table" and choice.message
  return M.content_text(type(message) == "table" and message.content or nil)
end

-- {status, headers, request_id, attempts, timings = {dns, connect, tls, first_byte, total, bytes}, rate_limit}
-- of a reply; of anything else nil.
function M.info(reply)
  if type(reply) ~= "table" then
    error(("info: expected a reply, got %s (is it reply:info()?)"):format(type(reply)), 2)
  end
  return infos[reply]
end

-- The value that the text is, checked against the request's response_format; or nil, err (see helpers/structured.lua).
function M.parsed(reply)
  if type(reply) ~= "table" then
    error(("parsed: expected a reply, got %s (is it reply:parsed()?)"):format(type(reply)), 2)
  end
  return structured.parsed(reply, M.text(reply))
end

local methods = { text = M.text, info = M.info, parsed = M.parsed }
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

-- Makes a reply of a decoded body. An empty list keeps its mark as a list.
function M.new(body, info)
  infos[body] = info
  return setmetatable(body, json.is_array(body) and list_metatable or metatable)
end

return M
