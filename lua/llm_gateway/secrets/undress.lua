-- secrets/undress.lua: a text whose escapes are letters again: %67, \u0067, \/, &#103;.
-- Leans on nothing. Linear in the text.

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'" }

local function letter(code)
  return code and code < 256 and string.char(code) or nil
end

local function entity(text, at)
  local name, stop = text:match("^&(#?%w%w?%w?%w?%w?%w?);()", at)
  if not name then return nil end
  local number = name:match("^#(%d+)$") or name:match("^#[xX](%x+)$")
  if not number then return ENTITIES[name], stop end
  return letter(tonumber(number, name:find("^#[xX]") and 16 or 10)), stop
end

-- JSON inside JSON has more than one backslash.
local function escape(text, at)
  local from = text:find("[^\\]", at) or #text + 1
  local code = text:match("^u(%x%x%x%x)", from)
  if code then return letter(tonumber(code, 16)), from + 5 end
  if text:find('^[/"]', from) then return text:sub(from, from), from + 1 end
  return nil, from
end

local function percent(text, at)
  local code = text:match("^%%(%x%x)", at)
  if code then return letter(tonumber(code, 16)), at + 3 end
end

local UNDRESS = { ["%"] = percent, ["\\"] = escape, ["&"] = entity }

-- A text whose escapes are letters again, and where in the text each of its parts stood: {at here, at there} in turn;
-- nil where there are none.
return function(text)
  local mark = text:find("[%%\\&]")
  if not mark then return nil end
  local out, places, at, length = {}, { 1, 1 }, 1, 0
  while mark do
    local plain, stop = UNDRESS[text:sub(mark, mark)](text, mark)
    if plain then
      out[#out + 1] = text:sub(at, mark - 1)
      out[#out + 1] = plain
      length, at = length + mark - at + 1, stop
      places[#places + 1], places[#places + 2] = length, mark
      places[#places + 1], places[#places + 2] = length + 1, stop
    end
    mark = text:find("[%%\\&]", math.max(stop or 0, mark + 1))
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out), places
end
