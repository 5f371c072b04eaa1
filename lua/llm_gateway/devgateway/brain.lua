-- devgateway/brain.lua: what the development gateway answers to a question: a small set of rules.
-- Leans on words and arithmetic. The answer depends on the conversation only, so tests can rely on it.
-- Never calls a tool (tools does) and knows nothing of HTTP.

local arithmetic = require("llm_gateway.devgateway.arithmetic")
local words = require("llm_gateway.devgateway.words")

local MAX_COUNT = 10000

local CAPITALS = {
  argentina = "Buenos Aires", australia = "Canberra", austria = "Vienna", belgium = "Brussels",
  brazil = "Brasília", canada = "Ottawa", chile = "Santiago", china = "Beijing", denmark = "Copenhagen",
  egypt = "Cairo", finland = "Helsinki", france = "Paris", germany = "Berlin", greece = "Athens",
  hungary = "Budapest", india = "New Delhi", ireland = "Dublin", italy = "Rome", japan = "Tokyo",
  kenya = "Nairobi", mexico = "Mexico City", netherlands = "Amsterdam", norway = "Oslo", poland = "Warsaw",
  portugal = "Lisbon", spain = "Madrid", sweden = "Stockholm", switzerland = "Bern", turkey = "Ankara",
  ["united kingdom"] = "London", ["united states"] = "Washington, D.C.",
}

local GREETINGS = { hello = true, hi = true, hey = true, greetings = true }

local function title(text)
  return (text:gsub("(%a)(%a*)", function(first, rest) return first:upper() .. rest end))
end

local function repeat_words(ask)
  local text = ask.text:match("^%s*[Rr]epeat:%s*(.+)$") or ask.text:match("^%s*[Ee]cho:?%s+(.+)$")
    or ask.text:match("^%s*[Ss]ay:?%s+(.+)$")
  return text
end

local function count_up(ask)
  local limit = tonumber(ask.lower:match("count%s+to%s+(%d+)") or ask.lower:match("count%s+up%s+to%s+(%d+)"))
  if not limit then return nil end
  local numbers = {}
  for index = 1, math.min(limit, MAX_COUNT) do numbers[index] = ("%d"):format(index) end
  return table.concat(numbers, " ")
end

local function compute(ask)
  local expression, value = arithmetic.find(ask.text)
  return expression and (expression .. " = " .. value)
end

local function capital(ask)
  if not ask.lower:find("capital", 1, true) then return nil end
  for country, city in pairs(CAPITALS) do
    if ask.lower:find(country, 1, true) then
      return "The capital of " .. title(country) .. " is " .. city .. "."
    end
  end
end

local function own_name(ask)
  if not ask.lower:find("what is my name", 1, true) and not ask.lower:find("what's my name", 1, true) then
    return nil
  end
  for index = #ask.messages, 1, -1 do
    local text = words.of_content(ask.messages[index].content)
    local name = text:match("[Mm]y name is (%a+)") or text:match("[Cc]all me (%a+)")
    if name and ask.messages[index].role == "user" then return "Your name is " .. name .. "." end
  end
  return "You have not told me your name."
end

local function introduction(ask)
  local asked = ask.lower:find("who are you", 1, true) or ask.lower:find("your name", 1, true)
  if not asked then return nil end
  return "I am the development gateway, answering as " .. ask.model .. "."
end

local function greeting(ask)
  local first = ask.lower:match("^%s*(%a+)")
  if not GREETINGS[first] or words.count(ask.text) > 6 then return nil end
  local name = ask.text:match("[Ii]'?%s?a?m (%u%a+)")
  return "Hello" .. (name and " " .. name or "") .. "! How can I help you today?"
end

local function restate(ask)
  if not ask.text:find("%S") then return "You have not asked anything yet." end
  return "You asked: \"" .. ask.text:gsub("^%s+", ""):gsub("%s+$", "") .. "\" I am a development gateway: "
    .. "I know capitals, arithmetic and counting, and I repeat what you ask me to repeat."
end

local RULES = { repeat_words, count_up, own_name, capital, compute, introduction, greeting, restate }

local M = {}

-- The answer's text to a conversation (a list of messages) put to `model`.
function M.answer(messages, model)
  local text = words.last(messages, "user") or words.of_content(messages[#messages].content)
  local ask = { text = text, lower = text:lower(), messages = messages, model = model }
  for _, rule in ipairs(RULES) do
    local answer = rule(ask)
    if answer then return answer end
  end
end

return M
