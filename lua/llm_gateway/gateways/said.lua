-- gateways/said.lua: phrases and templates of words, and how they are found in what a gateway said.
-- Leans on scalars.lua for numbers. Every search is linear in the text, of which the beginning is read.
--
-- A phrase is whole words in lower case; "..." in it stands for anything between. A template is words with slots, as in
-- "spend={current}, budget={limit}": NUMBERS are numbers, each other slot a text up to what follows it.

local scalars = require("llm_gateway.scalars")

local M = { NUMBERS = { limit = true, current = true, remaining = true, size_limit = true, size = true } }

local READ_WITHIN = 16384 -- bytes of a text
local LONGEST_NUMBER, LONGEST_NAME = 40, 120 -- bytes
local TRIES = 200 -- how many beginnings of one template are followed up

local find, sub, lower = string.find, string.sub, scalars.lower

-- ---------------------------------------------------------------------------------------------------------
-- What was said

-- A text made ready to be searched: its beginning as it stands and in lower case, and the words in it.
function M.told(text)
  text = scalars.beginning(text, READ_WITHIN)
  local lowered, words, known = lower(text), {}, {}
  for word in lowered:gmatch("[%w_]+") do
    if not known[word] then
      known[word] = true
      words[#words + 1] = word
    end
  end
  return { original = text, text = lowered, words = words, is_foreign = find(text, "[\128-\255]") ~= nil }
end

-- The longest word of some texts, which has to be there for any of them to be; nil when there is none.
local function key_of(literals)
  local longest
  for _, literal in ipairs(literals) do
    if find(literal, "[\128-\255]") then return nil end
    for word in literal:gmatch("[%w_]+") do
      if not longest or #word > #longest then longest = word end
    end
  end
  return longest
end

local REST = "" -- no word is that

-- By the word that has to be there; the others under REST.
local function index(list)
  local by_word = { [REST] = {} }
  for _, item in ipairs(list) do
    local key = item.key or REST
    by_word[key] = by_word[key] or {}
    table.insert(by_word[key], item)
  end
  return by_word
end

-- ---------------------------------------------------------------------------------------------------------
-- Phrases

local function split(text, between)
  local parts, at = {}, 1
  while true do
    local from, to = find(text, between, at, true)
    table.insert(parts, sub(text, at, (from or #text + 1) - 1))
    if not from then return parts end
    at = to + 1
  end
end

local function phrase_of(given)
  local text = type(given) == "table" and given[1] or given
  local parts = split(text, " ... ")
  return { parts = parts, key = key_of(parts), except = type(given) == "table" and M.phrases(given.except) or nil }
end

-- Phrases as `says` takes them, of a list of texts and of tables {text, except = list}.
function M.phrases(list)
  local all = {}
  for i, given in ipairs(list) do all[i] = phrase_of(given) end
  return index(all)
end

local function has(phrase, told)
  local at, parts = 1, phrase.parts
  for i = 1, #parts do
    local _, to = find(told.text, parts[i], at, true)
    if not to then return false end
    at = to + 1
  end
  return not (phrase.except and M.says(phrase.except, told))
end

local function has_any(list, told)
  for i = 1, #list do
    if has(list[i], told) then return true end
  end
  return false
end

-- Whether one of the phrases was said.
function M.says(phrases, told)
  local words = told.words
  for i = 1, #words do
    local list = phrases[words[i]]
    if list and has_any(list, told) then return true end
  end
  return told.is_foreign and has_any(phrases[REST], told)
end

-- ---------------------------------------------------------------------------------------------------------
-- Templates

local function template_of(given)
  local text = type(given) == "table" and given[1] or given
  local literals, slots, at = {}, {}, 1
  for from, name, to in text:gmatch("(){([%w_]+)}()") do
    table.insert(literals, sub(text, at, from - 1))
    table.insert(slots, name)
    at = to
  end
  table.insert(literals, sub(text, at))
  return { literals = literals, slots = slots, key = key_of(literals), last = type(given) == "table" and given.last }
end

-- Templates as `read` takes them, of a list of texts and of tables {text, last = true}: of several places the last.
function M.templates(list)
  local all = {}
  for i, text in ipairs(list) do all[i] = template_of(text) end
  return index(all)
end

local function as_number(digits)
  return scalars.number((digits:gsub(",", "")))
end

-- The number at a place (Python writes 1e-05, others $1,000.00), and where it stops.
local function number_at(text, at)
  local near = sub(text, at, at + LONGEST_NUMBER)
  local digits, stop = near:match("^%$?%s?([+-]?[%d.]*%de[+-]?%d+)()")
  if not digits then digits, stop = near:match("^%$?%s?([+-]?[%d.,]*%d)()") end
  if not digits or stop > LONGEST_NUMBER then return nil end
  return as_number(digits), at + stop - 1
end

-- The number that ends before a place.
local function number_before(text, at)
  local digits = sub(text, math.max(1, at - LONGEST_NUMBER), at - 1):match("([%d.,]*%d)%s?$")
  return digits and #digits < LONGEST_NUMBER and as_number(digits) or nil
end

-- The text at a place up to the literal that follows it (or to its own end), and where it stops. It has blanks only
-- between quotes.
local function name_at(told, at, literal)
  local near = sub(told.text, at, at + LONGEST_NAME + #literal)
  local stop = literal == "" and (find(near, "[%s,;]") or #near + 1) or find(near, literal, 1, true)
  if not stop or stop == 1 then return nil end
  local name = sub(told.original, at, at + stop - 2)
  name = name:gsub("^['\"`%[(]+", ""):gsub("['\"`%]).:]+$", "")
  if name == "" or (find(name, "%s") and not find(told.text, "^['\"`]", at - 1)) then return nil end
  return name, at + stop - 1
end

local function slot_at(told, name, at, literal)
  if M.NUMBERS[name] then return number_at(told.text, at) end
  return name_at(told, at, literal)
end

-- What the slots hold where the template's first words stand from `from` to `to`.
local function slots_at(template, told, from, to)
  local literals, found, at, first = template.literals, {}, to + 1, 1
  if literals[1] == "" then -- it begins with a number
    found[template.slots[1]] = number_before(told.text, from)
    if not found[template.slots[1]] then return nil end
    first = 2
  end
  for i = first, #template.slots do
    local literal = literals[i + 1]
    local value, stop = slot_at(told, template.slots[i], at, literal)
    if value == nil or sub(told.text, stop, stop + #literal - 1) ~= literal then return nil end
    found[template.slots[i]], at = value, stop + #literal
  end
  return found
end

local function match(template, told)
  local words, at = template.literals[1], 1
  if words == "" then words = template.literals[2] end
  local best
  for _ = 1, TRIES do
    local from, to = find(told.text, words, at, true)
    if not from then break end
    best = slots_at(template, told, from, to) or best
    if best and not template.last then break end
    at = from + 1
  end
  return best
end

local function match_all(list, told, visit)
  for i = 1, #list do
    local found = match(list[i], told)
    if found and visit(found) then return true end
  end
end

-- Calls visit({slot = value}) for each template that was found in what was told, until it returns true.
function M.read(templates, told, visit)
  local words = told.words
  for i = 1, #words do
    local list = templates[words[i]]
    if list and match_all(list, told, visit) then return end
  end
  match_all(templates[REST], told, visit)
end

return M
