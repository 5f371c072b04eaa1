-- errors/recognize.lua: whether an answer, or an event of a stream, is an error at all.
-- Leans on errors/unwrap.lua. Every reply and every chunk passes here: it loads nothing else and reads no words.

local unwrap = require("llm_gateway.errors.unwrap")

local M = {}

-- What a named gateway's profile knows of a refusal that comes as a good answer: its mark in this body, or nil.
function M.mark_of(value, profile)
  local marks = profile and type(value) == "table" and profile.refusal_in_200
  for i = 1, marks and #marks or 0 do
    if value[marks[i].field] == marks[i].value then return marks[i] end
  end
end

-- Whether a decoded body of a 2xx answer, or an event of a stream, is an error; `profile` (may be nil) knows marks of
-- refusals that come as a good answer.
function M.is_error_body(value, profile)
  return unwrap.is_error(value) or M.mark_of(value, profile) ~= nil
end

-- Whether an event's data that cannot be decoded is meant as an error all the same.
function M.looks_like_error(data)
  return type(data) == "string" and data:find('^%s*{%s*"error"') ~= nil
end

return M
