-- helpers/partial_json.lua: JSON that comes in pieces: what of it is there already, as a value that grows.
-- Leans on json/ for strings with escapes and for numbers. Each byte is looked at once. A string is shown as it grows,
-- never with half a character; of a long one not each piece, so that all the showing costs no more than a few dozen
-- copies of it. Numbers and words are shown once they are closed. It keeps to the grammar, but leaves to json.decode
-- what a whole text has to be.

local json = require("llm_gateway.json")

local Parser = {}
Parser.__index = Parser

local SHOWN_PART = 32 -- a string is shown again when it has grown by one part in so many

-- ---------------------------------------------------------------------------------------------------------
-- Where a value goes

local function put(self, value)
  local top = self.stack[#self.stack]
  if not top then
    self.root = value
  elseif top.is_list then
    top.value[top.count] = value
  elseif value == json.null then
    top.value[top.key] = nil
  else
    top.value[top.key] = value
  end
end

local function after_value(self)
  self.state = self.stack[1] and "comma" or "over"
end

local function open(self, is_list)
  local value = is_list and json.array() or {}
  put(self, value)
  table.insert(self.stack, { value = value, is_list = is_list, count = 0 })
  self.state = is_list and "first_item" or "first_key"
end

local function close(self, is_list)
  local top = self.stack[#self.stack]
  if not top or top.is_list ~= is_list then return false end
  table.remove(self.stack)
  after_value(self)
  return true
end

-- ---------------------------------------------------------------------------------------------------------
-- Strings

-- How many bytes at the end of a text are the beginning of a character.
local function begun_character(text)
  local lead = text:match("()[\192-\255][\128-\191]*$", math.max(1, #text - 3))
  if not lead then return 0 end
  local byte, have = text:byte(lead), #text - lead + 1
  local wanted = byte >= 240 and 4 or byte >= 224 and 3 or 2
  return have < wanted and have or 0
end

-- Where the escape at `at` ends; nil when more of it, or of the pair it begins, is to come.
local function end_of_escape(text, at)
  local letter = text:sub(at + 1, at + 1)
  if letter == "" then return nil end
  if letter ~= "u" then return at + 1 end
  if at + 5 > #text then return nil end
  if not text:find("^[dD][89aAbB]", at + 2) then return at + 5 end
  local second = text:sub(at + 6, at + 7)
  if second == "" or second == "\\" then return nil end
  if second ~= "\\u" then return at + 5 end
  return at + 11 <= #text and at + 11 or nil
end

-- Up to where the text of a string goes on from `at`: the place before its closing quote and true, or the last place
-- that is sure to be whole; and whether there are escapes.
local function string_end(text, at)
  local escapes, from = false, at
  while true do
    local found = text:find('["\\]', from)
    if not found then return #text - begun_character(text:sub(math.max(from, #text - 3))), false, escapes end
    if text:byte(found) == 34 then return found - 1, true, escapes end
    local stop = end_of_escape(text, found)
    if not stop then return found - 1, false, escapes end
    escapes, from = true, stop + 1
  end
end

local function shown(self)
  local token = self.token
  local whole = table.concat(token.pieces)
  token.pieces = { whole }
  token.shown = #whole
  return whole
end

local function end_string(self)
  local whole = shown(self)
  self.token = nil
  if not self.is_key then
    put(self, whole)
    return after_value(self)
  end
  self.stack[#self.stack].key, self.state, self.is_key = whole, "colon", false
end

local states = {}

function states.string(self, text, at)
  local stop, closed, escapes = string_end(text, at)
  local piece, token = text:sub(at, stop), self.token
  if escapes then
    piece = json.decode('"' .. piece .. '"')
    if not piece then return nil, "a string has an escape that is none" end
  end
  token.pieces[#token.pieces + 1], token.length = piece, token.length + #piece
  if closed then
    end_string(self)
    return stop + 2
  end
  if not self.is_key and token.length - token.shown >= token.shown / SHOWN_PART then put(self, shown(self)) end
  return stop + 1, nil, true
end

local function begin_string(self, is_key)
  self.token, self.state, self.is_key = { pieces = {}, length = 0, shown = 0 }, "string", is_key
  if not is_key then put(self, "") end
end

-- ---------------------------------------------------------------------------------------------------------
-- Numbers and words

local WORDS = { ["true"] = true, ["false"] = false, ["null"] = json.null }

function states.scalar(self, text, at)
  local stop = text:match("^[%w.+-]*()", at)
  self.scalar = self.scalar .. text:sub(at, stop - 1)
  if stop > #text then return stop end
  return stop, self:end_scalar()
end

-- Returns what is wrong, or nothing.
function Parser:end_scalar()
  local word = self.scalar
  local value = WORDS[word]
  if value == nil then value = json.decode(word) end
  if WORDS[word] == nil and type(value) ~= "number" then return "unexpected " .. word:sub(1, 20) end
  put(self, value)
  after_value(self)
end

-- ---------------------------------------------------------------------------------------------------------
-- The other states: each takes the character at a place, and returns false where it cannot stand.

local openers = {}

openers["{"] = function(self) open(self, false) end
openers["["] = function(self) open(self, true) end
openers['"'] = function(self) begin_string(self, false) end

local marks = {}

-- A number or a word begins with the character itself.
function marks.value(self, mark)
  local top = self.stack[#self.stack]
  if top and top.is_list then top.count = top.count + 1 end
  if openers[mark] then return openers[mark](self) end
  if not mark:find("[%w-]") then return false end
  self.scalar, self.state = mark, "scalar"
end

function marks.first_item(self, mark)
  if mark == "]" then return close(self, true) end
  return marks.value(self, mark)
end

function marks.key(self, mark)
  if mark ~= '"' then return false end
  begin_string(self, true)
end

function marks.first_key(self, mark)
  if mark == "}" then return close(self, false) end
  return marks.key(self, mark)
end

function marks.colon(self, mark)
  if mark ~= ":" then return false end
  self.state = "value"
end

function marks.comma(self, mark)
  if mark ~= "," then return close(self, mark == "]") and (mark == "]" or mark == "}") end
  self.state = self.stack[#self.stack].is_list and "value" or "key"
end

function marks.over() return false end

local function step(self, text, at)
  local state = states[self.state]
  if state then return state(self, text, at) end
  at = text:match("^[ \t\r\n]*()", at)
  if at > #text then return at end
  local mark = text:sub(at, at)
  if marks[self.state](self, mark) == false then return nil, ("unexpected %q"):format(mark) end
  return at + 1
end

-- Takes the next piece of the text. Returns true; or nil and what is wrong, each time again.
function Parser:feed(text)
  if self.fault then return nil, self.fault end
  text = self.rest .. text
  self.rest = ""
  local at = 1
  while at and at <= #text do
    local next_at, fault, waits = step(self, text, at)
    if fault then
      self.fault = fault
      return nil, fault
    end
    at = next_at
    if waits then
      self.rest = text:sub(at)
      break
    end
  end
  return true
end

-- What is there so far: the same table each time, with more in it; nil before anything is.
function Parser:value()
  return self.root
end

-- A new parser, at the beginning of a text.
local function new()
  return setmetatable({ stack = {}, state = "value", rest = "" }, Parser)
end

return { new = new }
