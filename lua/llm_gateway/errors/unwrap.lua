-- errors/unwrap.lua: finds, in the body of a refusal, the table that tells about it.
-- Leans on errors/message.lua for whether words stand beside a code, on errors/recognize.lua for which fields have them
-- and for what stands beside an answer. Reads decoded JSON. Gateways wrap their errors in many ways; see M.body.

local messages = require("llm_gateway.errors.message")
local recognize = require("llm_gateway.errors.recognize")
local scalars = require("llm_gateway.scalars")

local M = {}

local text = scalars.text

local function first_of(list)
  local first = list[1]
  if type(first) == "table" then return first end
  if text(first) then return { message = first } end
end

-- A copy with a message. What it was made of tells where `error` is the message.
local function with_message(body, message)
  local copy = {}
  for key, value in pairs(body) do copy[key] = value end
  copy.message = message
  return copy
end

-- `error` may be a table, a list of them, true, or a text: a code when a message stands beside it, else the message
-- (it stays where it is, for classify to see whether it is a code as well).
local function of_error(body)
  local inner = body.error
  if type(inner) == "table" then
    if inner[1] ~= nil then return first_of(inner) or body end
    if next(inner) == nil then return body end
    local wraps = inner.error ~= nil and inner.message == nil and inner.reason == nil
    return wraps and of_error(inner) or inner
  end
  if text(inner) and not messages.of(body, recognize.WORDS) then return with_message(body, inner) end
  return body
end

local function of_detail(body)
  local detail = body.detail
  if detail[1] ~= nil then return first_of(detail) or body end
  return of_error(detail)
end

M.status = recognize.status

local function of_answer(body)
  return recognize.of_neighbours(body) or (type(body.choices) == "table" and recognize.of_choices(body.choices)) or nil
end

-- The table that tells what was wrong, out of a decoded body: {detail = table | text | list}, {error = table | text
-- | true | list}, {errors = {first}}, {fault = table}, a choice's error, or the body itself. Second: the status that
-- the body gives itself, if any.
function M.body(body)
  if type(body) == "string" then return { message = body } end
  if type(body) ~= "table" then return {} end
  if body[1] ~= nil then return M.body(body[1]) end
  local status = body.detail ~= nil and M.status({ status_code = body.status_code }) or nil
  if type(body.detail) == "table" and next(body.detail) ~= nil then return of_detail(body), status end
  if text(body.detail) and type(body.error) ~= "table" then return body, status end
  if body.error ~= nil and body.error ~= false then return of_error(body), status end
  if type(body.errors) == "table" and body.errors[1] ~= nil then return first_of(body.errors) or body, status end
  if type(body.fault) == "table" then return body.fault, status end
  return of_answer(body) or body, status
end

return M
