-- reply/parsed.lua: reply:parsed(): the JSON value in an answer, checked against the schema that it is to fit.
-- Leans on json to decode it, on reply/content.lua for whether it is whole, on reply/wanted.lua for the schema. Never
-- mends an answer that does not fit.

local content = require("llm_gateway.reply.content")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local wanted = require("llm_gateway.reply.wanted")

local M = {}

local values = setmetatable({}, { __mode = "k" }) -- the checked value, by reply

local function failure(code, message)
  return errors.invalid("", message, code)
end

local function parse(reply, text)
  local refusal, how, why = content.refusal(reply), content.unfinished(reply)
  if refusal or how == "refused" then
    return nil, failure("refusal", "the model refused" .. (refusal and ": " .. refusal or ""))
  end
  if how then return nil, failure("length", ("the answer was cut (%s): it is not whole"):format(why)) end
  if not text:find("%S") then return nil, failure("empty", "the reply has no text") end
  local value, fault = json.decode(text)
  if value == nil and fault then return nil, failure("invalid_json", "the answer is no JSON: " .. fault) end
  local schema = wanted.of(reply)
  local message, where = nil, nil
  if schema then message, where = schema:check(value) end
  if message then return nil, errors.invalid(where or "", message) end
  return value
end

-- The value that a reply's text is, checked against the schema that was asked for; or nil, err of kind `validation`,
-- where `field` is the path in the value, or `code` says that the model refused ("refusal") or was cut ("length").
-- The same table each time.
function M.of(reply, text)
  if values[reply] ~= nil then return values[reply] end
  local value, err = parse(reply, text)
  if not err then values[reply] = value end
  return value, err
end

return M
