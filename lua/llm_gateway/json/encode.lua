-- json/encode.lua: what Lua values mean as JSON; the core's encoder writes them.
-- Leans on the C core, and on lua-cjson or Neovim, where the program has loaded them, for what they call null and an
-- empty list.
-- Never damages a number in silence, never sends text that is no UTF-8, never raises over data.

local core = require("llm_gateway.core")

local loaded = package.loaded

local LIST = core.list_mark

-- What a metatable, or a userdata, says of its table or of itself: "list", "object" or "null".
local meanings = { [LIST] = "list", [core.object_mark] = "object" }

-- Keys under which the API has lists, so that an unmarked empty table means one.
local LIST_KEYS = {
  messages = true, tools = true, tool_calls = true, stop = true, input = true, content = true, functions = true,
  modalities = true, transforms = true, stop_sequences = true, models = true, fallbacks = true, plugins = true,
  required = true, enum = true, anyOf = true, oneOf = true, allOf = true,
}

-- Objects of a JSON Schema whose keys are the user's names: a property called "input" is no list.
local FREE_NAMES = { properties = true, patternProperties = true, definitions = true, ["$defs"] = true }

local function learn(value, meaning)
  if value ~= nil and value ~= core.null then meanings[value] = meaning end
end

-- LuaRocks' lua-cjson has marks for lists; Debian's has none. Until the program has loaded one no value bears a mark.
local function learn_cjson()
  for _, name in ipairs({ "cjson", "cjson.safe" }) do
    local cjson = loaded[name]
    if type(cjson) == "table" then
      learn(cjson.null, "null")
      learn(cjson.empty_array, "list")
      learn(cjson.empty_array_mt, "list")
      learn(cjson.array_mt, "list")
    end
  end
end

-- Neovim has a lua-cjson of its own, whose null is another.
local function learn_neovim()
  local vim = rawget(_G, "vim")
  if type(vim) ~= "table" then return end
  learn(vim.NIL, "null")
  if vim.empty_dict then learn(getmetatable(vim.empty_dict()), "object") end
end

learn_neovim()

-- What is not known may have come since.
setmetatable(meanings, {
  __index = function(_, mark)
    learn_cjson()
    return rawget(meanings, mark)
  end,
})

-- Marks a table as a list, so that it is sent as `[]` even when empty. Returns it.
local function mark_list(t) return setmetatable(t, LIST) end

-- Whether a value is a table that is marked as a list.
local function is_marked_list(t)
  local mark = type(t) == "table" and getmetatable(t) or nil
  return mark ~= nil and meanings[mark] == "list"
end

-- Makes a metatable another such mark. Returns it.
local function list_mark(metatable)
  meanings[metatable] = "list"
  return metatable
end

return {
  -- encode(value): its JSON; or nil, what was wrong, and the path of where (`messages[2].content`).
  encode = core.json_encoder(meanings, LIST_KEYS, FREE_NAMES),
  mark_list = mark_list, is_marked_list = is_marked_list, list_mark = list_mark,
}
