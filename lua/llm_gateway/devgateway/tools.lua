-- devgateway/tools.lua: decides whether a question asks for one of the given tools, and with which arguments;
-- and phrases the answer when a tool's result came back.
-- Leans on words and json. Arguments are guessed from the tool's JSON schema and the question's words.
-- Never runs anything.

local dictation = require("llm_gateway.devgateway.dictation")
local json = require("llm_gateway.devgateway.json")
local words = require("llm_gateway.devgateway.words")

local COMMON = {}
for word in ("a an and the of for to in on at is are be by with from this that it its get set do what how "
  .. "which who you your me my i please tell use can could current given returns return"):gmatch("%a+") do
  COMMON[word] = true
end

local function word_set(text)
  local set = {}
  for word in text:gsub("(%l)(%u)", "%1 %2"):lower():gmatch("%a+") do
    if not COMMON[word] and #word > 1 then set[(word:gsub("s$", ""))] = true end
  end
  return set
end

local function shared(set, other)
  local count = 0
  for word in pairs(set) do
    if other[word] then count = count + 1 end
  end
  return count
end

-- A name's word weighs more than the description's: "weather" against get_weather decides.
local function score(tool, question)
  return 3 * shared(word_set(tool.name), question) + shared(word_set(tool.description or ""), question)
end

local function functions_of(list)
  local found = {}
  for _, tool in ipairs(list) do
    local described = type(tool) == "table" and tool["function"]
    if type(described) == "table" and type(described.name) == "string" then found[#found + 1] = described end
  end
  return found
end

local function best(functions, question)
  local set, chosen, top = word_set(question), nil, 1
  for _, tool in ipairs(functions) do
    local points = score(tool, set)
    if points > top then chosen, top = tool, points end
  end
  return chosen
end

local function choose(functions, question, choice)
  if choice == "none" then return nil end
  if type(choice) == "table" then
    local wanted = choice["function"] and choice["function"].name
    for _, tool in ipairs(functions) do
      if tool.name == wanted then return tool end
    end
  end
  return best(functions, question) or (choice == "required" and functions[1]) or nil
end

-- Capitalised names after a preposition, "and" or a comma: what a question is likely to be about.
local function subjects(question)
  local found = {}
  for lead, name in (" " .. question):gmatch("(%a*,?)%s+(%u[%w%-]+)") do
    if lead:find(",$") or lead:find("^in$") or lead:find("^for$") or lead:find("^of$") or lead:find("^at$")
      or lead:find("^to$") or lead:find("^and$") or lead:find("^from$") then
      found[#found + 1] = name
    end
  end
  return found
end

local function text_value(schema, context)
  for _, option in ipairs(schema.enum or {}) do
    if type(option) == "string" and context.lower:find(option:lower(), 1, true) then return option end
  end
  if schema.enum then return context.required and schema.enum[1] or nil end
  local found = context.question:match("\"([^\"]+)\"") or context.subject
  return found or (context.required and context.question) or nil
end

local function number_value(_, context)
  context.numbers = context.numbers or context.question:gmatch("%-?%d+%.?%d*")
  return tonumber(context.numbers() or (context.required and "0" or nil))
end

local VALUES = {
  string = text_value,
  number = number_value,
  integer = number_value,
  boolean = function(_, context) return context.required or nil end,
  array = function(_, context) return context.required and json.array({}) or nil end,
  object = function(_, context) return context.required and {} or nil end,
}

local function property_names(properties)
  local names = {}
  for name in pairs(properties) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function fill(schema, question, subject)
  local required, values = {}, {}
  for _, name in ipairs(schema.required or {}) do required[name] = true end
  local context = { question = question, lower = question:lower(), subject = subject }
  for _, name in ipairs(property_names(schema.properties or {})) do
    local property = schema.properties[name]
    context.required = required[name]
    values[name] = (VALUES[property.type] or text_value)(property, context)
  end
  return values
end

local function call(tool, question, subject, new_id)
  local arguments = json.encode(fill(tool.parameters or {}, question, subject))
  return { id = "call_" .. new_id(), type = "function",
    ["function"] = { name = tool.name, arguments = arguments } }
end

local function name_of_call(messages, id)
  for _, message in ipairs(messages) do
    for _, made in ipairs(message.tool_calls or {}) do
      if made.id == id then return made["function"].name end
    end
  end
end

local M = {}

-- The calls that the conversation's question asks for (a list for a message's tool_calls), or nil.
-- request: the request's body. new_id: a function that returns a fresh id's text.
function M.calls(request, new_id)
  local dictated = dictation.calls(request.messages, new_id)
  if dictated then return dictated end
  local functions = functions_of(type(request.tools) == "table" and request.tools or {})
  local last = request.messages[#request.messages]
  if #functions == 0 or last.role == "tool" or last.role == "function" then return nil end
  local question = words.last(request.messages, "user") or ""
  local tool = choose(functions, question, request.tool_choice)
  if not tool then return nil end
  local calls, list = {}, subjects(question)
  local wanted = request.parallel_tool_calls == false and math.min(#list, 1) or #list
  for index = 1, math.max(wanted, 1) do
    calls[index] = call(tool, question, list[index], new_id)
  end
  return calls
end

-- The answer made of the tools' results that end the conversation, or nil when it ends otherwise.
function M.answer(messages)
  local parts = {}
  for index = #messages, 1, -1 do
    local message = messages[index]
    if message.role ~= "tool" and message.role ~= "function" then break end
    local name = message.name or name_of_call(messages, message.tool_call_id) or "the tool"
    table.insert(parts, 1, name .. " says: " .. words.of_content(message.content))
  end
  return parts[1] and table.concat(parts, "\n")
end

-- A value that fits a JSON schema, filled from the question's words: for response_format json_schema.
function M.fill(schema, question)
  return fill(schema, question, subjects(question)[1])
end

return M
