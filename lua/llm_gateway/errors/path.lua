-- errors/path.lua: which field of a request a refusal is about, in this library's own form: `messages[2].content`.
-- Leans on scalars.lua. Gateways count from 0, Lua from 1.

local scalars = require("llm_gateway.scalars")

local M = {}

local LONGEST = 200 -- bytes
local NO_FIELDS = { body = true, query = true, path = true, header = true } -- where FastAPI found it

-- The index that a step of a path is, or nil.
local function index_of(name)
  local index = (type(name) == "number" or name:find("^%d%d?%d?%d?%d?%d?$")) and tonumber(name)
  return index and index % 1 == 0 and index >= 0 and index < 1e6 and index or nil
end

local function step(path, name)
  local index = index_of(name)
  if index then return ("%s[%d]"):format(path, index + 1) end
  name = tostring(name)
  return path == "" and name or path .. "." .. name
end

-- Pydantic adds which type of several did not fit: "str", "list[ContentPart]", "ChatMessage".
local TYPES = { str = true, int = true, float = true, bool = true, dict = true, none = true }

local function is_type(name)
  return type(name) == "string" and (TYPES[name] or name:find("^%u") or name:find("[%[(]")) ~= nil
end

-- The path of a list of names and indexes: {"body", "messages", 0, "content"}; nil when it is none, or empty.
function M.of_list(list)
  if type(list) == "string" then return M.of_text(list) end
  if type(list) ~= "table" then return nil end
  local path = ""
  for i = 1, #list do
    local name = list[i]
    if type(name) ~= "string" and type(name) ~= "number" then return nil end
    if i > 1 and is_type(name) then break end
    if i > 1 or not NO_FIELDS[name] then path = step(path, name) end
  end
  return path ~= "" and path or nil
end

-- The path of a text: "messages[0].content", "messages.[0].content", "messages.0.content", "/messages/0/content"; nil
-- when it is a sentence, or nothing.
function M.of_text(value)
  local text = value ~= nil and scalars.text(value)
  if not text or #text > LONGEST or not text:find("^[$/%a_][%w_%-./%[%]'\"]*$") then return nil end
  local path = ""
  for name in text:gsub("^%$", ""):gmatch("[%w_%-]+") do
    if path ~= "" or not NO_FIELDS[name] then path = step(path, name) end
  end
  return path ~= "" and path or nil
end

local REQUEST_FIELDS = {}
for name in ([[messages model max_tokens max_completion_tokens temperature top_p top_k tools tool_choice system stop
  stop_sequences stream metadata thinking input response_format n seed user dimensions encoding_format reasoning_effort
  prompt functions logprobs frequency_penalty presence_penalty stream_options instructions]]):gmatch("%S+") do
  REQUEST_FIELDS[name] = true
end

local function of_request(text)
  local first = text and text:match("^[%w_]+")
  return first and REQUEST_FIELDS[first] and M.of_text(text) or nil
end

-- The path that words begin with, or have between quotes, where it is one of a request: "messages.0.content: Field
-- required", "Invalid type for 'messages[0].content'"; nil otherwise.
function M.of_words(message)
  local beginning = message:sub(1, LONGEST)
  return of_request(beginning:match("^([%a_][%w_.%[%]]*): "))
    or of_request(beginning:match("['\"`]([%a_][%w_]*[%[.][%w_.%[%]]*)['\"`]"))
end

return M
