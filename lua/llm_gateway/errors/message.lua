-- errors/message.lua: the words of a refusal, wherever in its table they are.
-- Leans on errors/path.lua for the names of a request's fields, on errors/recognize.lua for those that have words.
-- Never makes words up.

local paths = require("llm_gateway.errors.path")
local recognize = require("llm_gateway.errors.recognize")
local scalars = require("llm_gateway.scalars")

local M = {}

local text = scalars.text

-- Where words may be: in fields that have nothing else, then in others.
local FIELDS = {
  "title", "faultstring", "status_msg", "err_msg", "errmsg", "html-message", "html_message", "statusMessage",
  "description", "details", "error", "data", "issues", "errors", "Error", "exception", "cause", "result",
}
for i, name in ipairs(recognize.WORDS) do table.insert(FIELDS, i, name) end
local NESTED = { "error", "message", "actionReason", "detail", "msg", "reason", "description" }
local MORE = { "moreInformation", "more_information", "description" }

local LISTED = 5 -- how many items of a list are said
local DEEPEST = 4

local message_in

-- Where a check's item says which field it is about: FastAPI's `loc`, Zod's `path`.
local function where(item)
  return item.loc or (type(item.path) == "table" and item.path) or nil
end

-- "messages[1].content: Input should be a valid string"
local function item_words(item, depth)
  if type(item) ~= "table" then return text(item) end
  local words = message_in(item, NESTED, depth)
  local field = words and paths.of_list(where(item))
  return field and ("%s: %s"):format(field, words) or words
end

local function list_words(list, depth)
  local said = {}
  for i = 1, math.min(#list, LISTED) do said[#said + 1] = item_words(list[i], depth) end
  if not said[1] then return nil end
  local first = type(list[1]) == "table" and where(list[1]) ~= nil
  return first and table.concat(said, "; ") or said[1]
end

local function words_of(value, depth)
  if type(value) ~= "table" then return text(value) end
  if depth > DEEPEST then return nil end
  if value[1] ~= nil then return list_words(value, depth + 1) end
  return message_in(value, NESTED, depth + 1)
end

function message_in(place, names, depth)
  for i = 1, #names do
    local value = place[names[i]]
    local found = value ~= nil and words_of(value, depth)
    if found then return found end
  end
end

-- The words in a table that tells about an error: in one of these fields, or where they are known to be.
function M.of(place, names)
  return message_in(place, names or FIELDS, 0)
end

local MOST_NAMES = 50

-- The first sentence in a table of which nothing is known, by the alphabet of its names; nil without one.
function M.any(place, depth)
  local names = {}
  for name in next, place do
    if #names < MOST_NAMES then names[#names + 1] = tostring(name) end
  end
  table.sort(names)
  for i = 1, #names do
    local value = place[names[i]]
    if value == nil then value = place[tonumber(names[i])] end
    if type(value) == "string" and value:find("%S%s+%S") then return text(value) end
    local found = type(value) == "table" and (depth or 0) < DEEPEST and M.any(value, (depth or 0) + 1)
    if found then return found end
  end
end

-- The words of a body whose `detail` or `errors` is a list of what is wrong with which field; nil when it has none.
function M.of_checks(body)
  for _, name in ipairs({ "detail", "errors", "issues" }) do
    local list = body[name]
    local first = type(list) == "table" and list[1]
    if type(first) == "table" and where(first) ~= nil then return list_words(list, 0) end
  end
end

-- What the table says beside its message; nil when that is nothing new.
function M.more(place, message)
  for i = 1, #MORE do
    local found = place[MORE[i]] and text(place[MORE[i]])
    if found and not message:find(found, 1, true) then return found end
  end
end

return M
