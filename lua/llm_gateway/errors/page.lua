-- errors/page.lua: what a page of HTML, or a plain text, says of an error.
-- Leans on scalars.lua. Reads the beginning of a text only, in time linear in it.

local scalars = require("llm_gateway.scalars")

local M = {}

local WITHIN = 8192 -- bytes of a page
local LONGEST = 300 -- bytes of what is shown
local ELEMENTS = { "title", "message", "h1", "h2", "h3" } -- `message`: of XML

-- The text of the first element of a name, without the elements in it; nil when it has none. `lowered` is the page in
-- lower case.
local function text_of(page, lowered, element)
  local _, from = lowered:find("<" .. element .. "[^<>]*>")
  local stop = from and lowered:find("</" .. element, from, true)
  local text = stop and page:sub(from + 1, stop - 1):gsub("<[^<>]*>", " "):gsub("%s+", " ")
  return text and scalars.text(text)
end

local function of_page(text)
  local page = text:sub(1, WITHIN)
  local lowered = scalars.lower(page)
  for _, element in ipairs(ELEMENTS) do
    local found = text_of(page, lowered, element)
    if found then return found end
  end
end

-- The title or a heading of a page, else the first line of what is no markup; nil when there is neither.
function M.said(text)
  local found = text:find("^%s*<") and of_page(text)
  if not found and not text:find("^%s*[<{%[]") then found = scalars.text(text:match("[^\r\n]+") or "") end
  return found and scalars.clip(found, LONGEST)
end

return M
