-- reply/content.lua: the text and the reasoning in what a model said, and why it ended, in each dialect's shape.
-- Leans on nothing; reads decoded JSON, whole replies and chunks alike. Never fails, whatever a gateway sends.

local M = {}

-- Whether a value says nothing: none, an empty text, an empty table.
function M.is_empty(value)
  return value == nil or value == "" or (type(value) == "table" and next(value) == nil)
end

local function is_thought(part)
  return type(part.type) == "string" and (part.type:find("thinking", 1, true) or part.type:find("reasoning", 1, true))
    and true or false
end

local function part_text(part)
  return type(part) == "table" and type(part.text) == "string" and not is_thought(part) and part.text or ""
end

local function each(list)
  return ipairs(type(list) == "table" and list or {})
end

-- A message's content is text, or a list of parts some of which have text.
function M.text(content)
  if type(content) == "string" then return content end
  if type(content) ~= "table" then return "" end
  local texts = {}
  for i, part in ipairs(content) do texts[i] = part_text(part) end
  return table.concat(texts)
end

-- The text of a Responses object's output: of its messages, not of what else stands between them.
function M.output_text(output)
  local texts = {}
  for _, item in each(output) do
    if type(item) == "table" and (item.type == "message" or item.type == nil) then
      table.insert(texts, M.text(item.content))
    end
  end
  return table.concat(texts)
end

-- What a choice says: its message, or its delta where it is a chunk's; nil without one.
function M.message(choice)
  if type(choice) ~= "table" then return nil end
  if type(choice.message) == "table" then return choice.message end
  return type(choice.delta) == "table" and choice.delta or nil
end

-- The text of any reply: a chat's first choice, a Responses object, a message, an old completion; "" without one.
function M.of_reply(reply)
  if type(reply.choices) == "table" then
    local choice = reply.choices[1]
    local message = M.message(choice)
    if message then return M.text(message.content) end
    return type(choice) == "table" and type(choice.text) == "string" and choice.text or ""
  end
  if type(reply.output) == "table" then return M.output_text(reply.output) end
  return M.text(reply.content)
end

-- ---------------------------------------------------------------------------------------------------------
-- Reasoning

-- A part of reasoning: {text}, {thinking = text or parts}, {summary = text or parts}, {content = parts}.
local function thought(part)
  if type(part) == "string" then return part end
  if type(part) ~= "table" then return "" end
  if type(part.text) == "string" then return part.text end
  local texts = {}
  for _, name in ipairs({ "thinking", "summary", "content" }) do
    if type(part[name]) == "string" then table.insert(texts, part[name]) end
    for _, inner in each(part[name]) do table.insert(texts, thought(inner)) end
  end
  return table.concat(texts)
end

local function thoughts(list)
  local texts, details = {}, {}
  for _, part in each(list) do
    if type(part) == "table" and is_thought(part) then
      table.insert(texts, thought(part))
      table.insert(details, part)
    end
  end
  return table.concat(texts), details[1] and details or nil
end

-- The text of a chat's reasoning: gateways call it reasoning_content, or reasoning.
function M.reasoning_text(message)
  local text = message.reasoning_content
  if type(text) ~= "string" or text == "" then text = message.reasoning end
  return type(text) == "string" and text or ""
end

local function of_message(message)
  local text = M.reasoning_text(message)
  local details = message.reasoning_details or message.thinking_blocks
  local from_parts, parts = thoughts(message.content)
  local told = type(details) == "table" and details or parts
  if text == "" then text = from_parts end
  if text == "" then text = thoughts(told) end
  return text, told
end

-- A reply's reasoning as text ("" without any), and its details as the gateway gave them, or nil: what has to be
-- sent back with the next turn.
function M.reasoning(reply)
  if type(reply.choices) == "table" then
    local message = M.message(reply.choices[1])
    if message then return of_message(message) end
    return "", nil
  end
  return thoughts(type(reply.output) == "table" and reply.output or reply.content)
end

-- ---------------------------------------------------------------------------------------------------------
-- The end

local CUT = { length = true, max_tokens = true, max_output_tokens = true, model_context_window_exceeded = true }
local REFUSED = { content_filter = true, refusal = true, safety = true }

local function table_of(value) return type(value) == "table" and value or {} end

-- Whether a whole reply says less than it was to say: "cut" or "refused", and its own word for why; else nil.
function M.unfinished(reply)
  local choice = table_of(table_of(reply.choices)[1])
  local reason = choice.finish_reason or reply.stop_reason or table_of(reply.incomplete_details).reason
  if REFUSED[reason] then return "refused", reason end
  if CUT[reason] then return "cut", reason end
  if reply.status == "incomplete" then return "cut", type(reason) == "string" and reason or "incomplete" end
end

local function refusal_in(parts)
  for _, part in each(parts) do
    if type(part) == "table" then
      if part.type == "refusal" and type(part.refusal) == "string" and part.refusal ~= "" then return part.refusal end
      local inner = refusal_in(part.content)
      if inner then return inner end
    end
  end
end

-- The words with which a model refused: a message's field, or a part of one; nil without any.
function M.refusal(reply)
  local message = M.message(table_of(reply.choices)[1]) or {}
  local said = message.refusal
  if type(said) == "string" and said ~= "" then return said end
  return refusal_in(message.content) or refusal_in(reply.output)
end

return M
