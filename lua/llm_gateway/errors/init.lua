-- errors/init.lua: the room's door: error tables, and what makes them of answers and of failures.
-- Leans on the files of the room; no logic of its own.

local answer = require("llm_gateway.errors.answer")
local object = require("llm_gateway.errors.object")
local secrets = require("llm_gateway.secrets")
local transport = require("llm_gateway.errors.transport")

return {
  new = object.new, is = object.is, assert = object.assert, is_final = object.is_final,
  is_unread = object.is_unread,
  of_answer = answer.of_answer, is_error_body = answer.is_error_body, looks_like_error = answer.looks_like_error,
  request_id = answer.request_id,
  of_failure = transport.of_failure,
  redact = secrets.redact,
}
