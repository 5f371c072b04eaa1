-- errors/init.lua: the room's door: error tables, and what makes them of answers and of failures.
-- Leans on the files of the room; no logic of its own. What reads refusals is loaded with the first one: a program that
-- meets none starts sooner.

local object = require("llm_gateway.errors.object")
local recognize = require("llm_gateway.errors.recognize")
local request_id = require("llm_gateway.errors.request_id")
local secrets = require("llm_gateway.secrets")
local transport = require("llm_gateway.errors.transport")

-- The error of an HTTP answer, or of an event inside one; see errors/answer.lua.
local function of_answer(answer)
  return require("llm_gateway.errors.answer").of_answer(answer)
end

return {
  new = object.new, is = object.is, assert = object.assert, is_final = object.is_final,
  is_unread = object.is_unread,
  of_answer = of_answer, of_failure = transport.of_failure,
  is_error_body = recognize.is_error_body, looks_like_error = recognize.looks_like_error,
  request_id = request_id.of,
  redact = secrets.redact,
}
