-- errors/codes.lua: a refusal's code and its status, out of what was gathered.
-- Leans on errors/unwrap.lua for a status in a body. Never says what a code means.

local scalars = require("llm_gateway.scalars")
local unwrap = require("llm_gateway.errors.unwrap")

local M = {}

local text, as_text = scalars.text, scalars.as_text

local CODES = { "code", "error_code", "errorCode", "error", "internalCode", "error_type", "errorcode", "__type" }

-- A type, a status or a reason that is a code, and no sentence.
local function identifier(value)
  return type(value) == "string" and value:find("^[%a_][%w_.:-]*$") and text(value) or nil
end

local GENERIC = { error = true, failure = true, fail = true, failed = true, ok = true }

local LONGEST_SENTENCE = 200 -- bytes; longer ones are not looked for

-- Whether it is the message, or a sentence in it.
local function is_said(code, message)
  if code == message or not message then return code == message end
  return #code <= LONGEST_SENTENCE and code:find("%s") ~= nil and message:find(code, 1, true) ~= nil
end

-- The code in a table. One that only repeats a status gives way to `type`; an `error` that is the message, or a
-- sentence in it, is no code.
local function code_in(place, statuses, message)
  for i = 1, #CODES do
    local value = place[CODES[i]]
    local code = type(value) ~= "table" and as_text(value)
    if code and (CODES[i] ~= "error" or not is_said(code, message)) and not statuses[tonumber(code) or 0] then
      return code:match("#([^#:]+)") or code
    end
  end
  local kind = identifier(place.type)
  return kind and not GENERIC[scalars.lower(kind)] and kind or nil
end

local function first_code(places, read)
  for i = 1, #places do
    local found = read(places[i])
    if found then return found end
  end
end

-- The code as text, or nil: from the nearest table that has one, then reasons in details, a status in words, a header.
function M.of(read, found, statuses, message)
  local function own(place) return code_in(place, statuses, message) end
  local function reason(place)
    return place ~= read.inner and place ~= read.outer and identifier(place.reason)
  end
  local function status(place)
    local word = identifier(place.status)
    return word and not GENERIC[scalars.lower(word)] and word or nil
  end
  return own(read.inner) or own(read.outer) or first_code(found.places, reason) or first_code(found.places, own)
    or first_code(found.places, status) or read.header_code
end

-- ---------------------------------------------------------------------------------------------------------
-- Status

-- Some put the status before their words: "429: Rate limit reached", "Error code: 429 - ...".
local function status_said(message)
  local digits = message and (message:match("^([45]%d%d): ") or message:match("^Error code: ([45]%d%d) "))
  return digits and tonumber(digits)
end

-- The error's own status, else HTTP's; of an error inside a stream its own or nil.
function M.status(answer, read, message)
  if read.own_status then return read.own_status end
  if not (answer.status >= 200 and answer.status <= 299) then return answer.status end
  local own = read.is_error and (unwrap.status(read.inner) or unwrap.status(read.outer) or status_said(message))
  if own then return own end
  return not answer.in_stream and answer.status or nil
end

return M
