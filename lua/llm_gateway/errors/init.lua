-- errors/init.lua: the room's door: error tables, and what makes them of answers and of failures.
-- Leans on the files of the room; no logic of its own. What reads refusals is loaded with the first one: a program that
-- meets none starts sooner.

local fields = require("llm_gateway.http.fields")
local lazy = require("llm_gateway.lazy")
local object = require("llm_gateway.errors.object")
local recognize = require("llm_gateway.errors.recognize")
local secrets = require("llm_gateway.secrets")
local transport = require("llm_gateway.errors.transport")

local answers = lazy("llm_gateway.errors.answer")
local request_ids = lazy("llm_gateway.errors.request_id")

-- The error of an HTTP answer, or of an event inside one; see errors/answer.lua.
local function of_answer(answer)
  fields.of(answer)
  return answers.of_answer(answer)
end

-- The id by which a gateway knows a request; see errors/request_id.lua.
local function request_id(body, headers, profile, names)
  return request_ids.of(body, headers, profile, names)
end

return {
  new = object.new, invalid = object.invalid, is = object.is, assert = object.assert, is_final = object.is_final,
  is_unread = object.is_unread,
  of_answer = of_answer, of_failure = transport.of_failure, of_call = transport.of_call,
  is_error_body = recognize.is_error_body, is_refusal = recognize.is_refusal,
  looks_like_error = recognize.looks_like_error,
  request_id = request_id,
  redact = secrets.redact,
}
