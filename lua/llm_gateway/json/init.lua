-- json/init.lua: Lua values to JSON text and back, by this library's own rules.
-- Leans on the C core, which reads and writes, on encode.lua for what values mean, and on surrogates.lua for escapes
-- that are no character. Every Lua gives the same answer, with every lua-cjson and without one.
-- Never damages a number in silence, never raises over data.

local core = require("llm_gateway.core")
local encoder = require("llm_gateway.json.encode")
local lazy = require("llm_gateway.lazy")

local surrogates = lazy("llm_gateway.json.surrogates")

-- What surrogates.lua has, which few texts need.
local function join(a, b) return surrogates.join(a, b) end
local function split_half(text) return surrogates.split_half(text) end
local function mend(text) return surrogates.mend(text) end
local function mend_all(value) return surrogates.mend_all(value) end

-- Marks a table (a new one by default) as a list, so that it is sent as `[]` even when empty. Returns it.
local function array(t)
  return encoder.mark_list(t or {})
end

-- Whether a decoded value is a list: it has an item, or is empty and marked as one.
local function is_list(value)
  if type(value) ~= "table" then return false end
  return value[1] ~= nil or (getmetatable(value) ~= nil and encoder.is_marked_list(value))
end

-- Whether it is an object: any other table.
local function is_object(value)
  if type(value) ~= "table" or value[1] ~= nil then return false end
  return getmetatable(value) == nil or not encoder.is_marked_list(value)
end

return {
  null = core.null, array = array, is_list = is_list, is_object = is_object,
  is_marked_list = encoder.is_marked_list, list_mark = encoder.list_mark,
  join = join, split_half = split_half, mend = mend, mend_all = mend_all,
  encode = encoder.encode,
  -- From this float on (2^53) one may stand for a neighbour of the whole number that was meant.
  exact = core.json_exact,
  -- decode(text, keep_halves): the value of a JSON text; or nil and a message (`null` gives nil without one). With
  -- keep_halves a text may begin or end with half a character, for join and mend; the third result tells that one
  -- does.
  decode = core.json_decode,
  -- partial(): a parser of a text that comes in pieces. feed(text) returns it, or nil and a message; value() the value
  -- as far as it has come, in the same tables each time, and whether it is whole; finish() the value, or nil and a
  -- message.
  partial = core.json_partial,
}
