-- devgateway/words.lua: text as words: what the development gateway streams, counts and bills as tokens.
-- Leans on nothing. Never splits inside a word, so never inside a UTF-8 character.

local M = {}

-- A list of the text's words, each with the blanks before it; joined they are the text again.
function M.split(text)
  local pieces, after = {}, 1
  for piece, position in text:gmatch("(%s*%S+)()") do
    pieces[#pieces + 1] = piece
    after = position
  end
  local rest = text:sub(after)
  if rest ~= "" then pieces[#pieces + 1] = rest end
  return pieces
end

-- How many tokens the text counts as.
function M.count(text)
  local _, count = text:gsub("%S+", "")
  return count
end

-- A message's content as text: text as it is, a list of parts by their text, anything else "".
function M.of_content(content)
  if type(content) == "string" then return content end
  if type(content) ~= "table" then return "" end
  local texts = {}
  for _, part in ipairs(content) do
    local text = type(part) == "table" and part.text or part
    if type(text) == "string" then texts[#texts + 1] = text end
  end
  return table.concat(texts, "\n")
end

-- The text of the last message of that role, or nil; the second result is its index.
function M.last(messages, role)
  for index = #messages, 1, -1 do
    if messages[index].role == role then return M.of_content(messages[index].content), index end
  end
end

-- All messages' text, one to a line.
function M.of_messages(messages)
  local texts = {}
  for index, message in ipairs(messages) do texts[index] = M.of_content(message.content) end
  return table.concat(texts, "\n")
end

return M
