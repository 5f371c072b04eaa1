-- json.lua: the invariants of spec/fuzz/json.c: returns the function that each input is given to; it raises when one
-- does not hold. Leans on the library's JSON, and on lua-cjson, against which it is held.
--
-- An input is a byte, the size of the pieces in which the text is fed once more, and the text.

local cjson = require("cjson").new()
local json = require "llm_gateway.json"
local promises = require "spec.fuzz.promises"

cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(1000)

local demand = promises.demand

-- Whether lua-cjson's value is ours: its numbers are floats, its nulls stay in objects, its lists have no mark.
local function agrees(theirs, ours, in_list)
  if theirs == cjson.null then return ours == nil or (in_list and ours == json.null) end
  if type(theirs) ~= type(ours) then return false end
  if type(theirs) == "number" then return theirs == ours + 0.0 end
  if type(theirs) ~= "table" then return theirs == ours end
  for key, item in next, theirs do
    if not agrees(item, ours[key], type(key) == "number") then return false end
  end
  for key in next, ours do
    if theirs[key] == nil then return false end
  end
  return true
end

-- What is read here alone: halves of surrogate pairs, Python's numbers that are none, a byte order mark.
local function is_ours_alone(text)
  return text:find("\\u[dD][89a-fA-F]") or text:find("NaN", 1, true) or text:find("Infinity", 1, true)
    or text:sub(1, 3) == "\239\187\191"
end

-- What lua-cjson alone reads: numbers that begin or end with their point, and what follows a NUL byte.
local function is_theirs_alone(text)
  return text:find("%d%.%D") or text:find("%d%.$") or text:find("-.", 1, true) or text:find("\0", 1, true)
end

local function check_decode(text, value, why)
  local ok, theirs = pcall(cjson.decode, text)
  if why then
    demand(type(why) == "string" and why:find(" at byte %d+$"), "a reason with a place, got %s", tostring(why))
    demand(not ok or is_theirs_alone(text), "what lua-cjson reads is read, but: %s", why)
  elseif ok then
    demand(agrees(theirs, value) or is_ours_alone(text), "the value is lua-cjson's")
  else
    demand(is_ours_alone(text), "what lua-cjson refuses is refused, but: %s", tostring(theirs))
  end
end

local function check_pieces(text, size, value, why)
  local parser = json.partial()
  for at = 1, #text, size do
    if not parser:feed(text:sub(at, at + size - 1)) then break end
    if at % 7 < size then parser:value() end
  end
  local whole, fault = parser:finish()
  demand((why == nil) == (fault == nil), "in pieces: %s, at once: %s", tostring(fault), tostring(why))
  if not why then promises.same(value, whole, "the value in pieces") end
end

return function(input)
  local size, text = (input:byte(1) or 0) + 1, input:sub(2)
  local value, why = json.decode(text)
  check_decode(text, value, why)
  promises.keeps_halves(text, value)
  check_pieces(text, size, value, why)
  check_pieces(text, 1, value, why)
  local sent = value ~= nil and promises.comes_back(value)
  demand(not sent or pcall(cjson.decode, sent), "lua-cjson reads what was encoded")
end
