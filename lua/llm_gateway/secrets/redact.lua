-- secrets/redact.lua: hides secrets in what is shown.
-- Leans on secrets/undress.lua and http/base64.lua.
--
-- A server, a proxy or libcurl may repeat a secret as it stands or dressed: in upper or lower case, in hex or base64,
-- with %2F, \/, \u0067 or &#103; in the place of letters. Every loop here is linear in the text.

local base64 = require("llm_gateway.http.base64")
local undressed = require("llm_gateway.secrets.undress")

local MIN_SECRET_BYTES = 8 -- a shorter one would redact ordinary words
local MASK = "[redacted]"

-- ---------------------------------------------------------------------------------------------------------
-- The forms of a secret

local function hex(text)
  return (text:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- The base64 of a text that stands `before` bytes behind the beginning of what was encoded: only the digits that no
-- neighbour has a part in.
local function base64_inside(text, before)
  local digits = base64.encode(("\0"):rep(before) .. text):gsub("=+$", "")
  local from = math.ceil(before * 4 / 3) + 1
  local whole = math.floor((before + #text) * 4 / 3)
  return digits:sub(from, whole)
end

-- All in lower case: texts are compared without regard to case.
local function forms_of(secret)
  local forms = { secret, hex(secret) }
  for before = 0, 2 do
    local inside = base64_inside(secret, before)
    forms[#forms + 1] = inside
    forms[#forms + 1] = (inside:gsub("[+/]", { ["+"] = "-", ["/"] = "_" }))
  end
  return forms
end

local function all_forms(secrets)
  local forms, known, shortest = {}, {}, math.huge
  for _, secret in ipairs(secrets) do
    for _, form in ipairs(#secret >= MIN_SECRET_BYTES and forms_of(secret) or {}) do
      form = form:lower()
      if not known[form] then
        known[form], forms[#forms + 1] = true, form
        shortest = math.min(shortest, #form)
      end
    end
  end
  forms.shortest = shortest
  return forms
end

local kept = setmetatable({}, { __mode = "k" }) -- forms by the list of secrets

local function forms_for(secrets)
  local forms = kept[secrets]
  if not forms then
    forms = all_forms(secrets)
    kept[secrets] = forms
  end
  return forms
end

-- ---------------------------------------------------------------------------------------------------------
-- Redaction

-- Adds {from, to} of each form in a text to the list.
local function find_all(found, text, forms)
  local lower = text:lower()
  for _, form in ipairs(forms) do
    local from, to = lower:find(form, 1, true)
    while from do
      found[#found + 1] = { from, to }
      from, to = lower:find(form, to + 1, true)
    end
  end
end

-- Where a place of an undressed text stood in the text itself: the last part that begins at or before it.
local function place_of(places, at)
  local low, high = 1, #places / 2
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if places[2 * middle - 1] <= at then low = middle else high = middle - 1 end
  end
  return places[2 * low] + at - places[2 * low - 1]
end

local function find_dressed(found, text, forms)
  local plain, places = undressed(text)
  if not plain then return end
  local inside = {}
  find_all(inside, plain, forms)
  for _, range in ipairs(inside) do
    found[#found + 1] = { place_of(places, range[1]), place_of(places, range[2] + 1) - 1 }
  end
end

-- Whether a text has one of the forms.
local function shows(text, forms)
  local lower = text:lower()
  for i = 1, #forms do
    if lower:find(forms[i], 1, true) then return true end
  end
  local found = {}
  if text:find("[%%\\&]") then find_dressed(found, text, forms) end
  return found[1] ~= nil
end

-- Whether one of the forms is anywhere in a table: most answers show none, and need no copy.
local function shows_within(t, forms, seen)
  local shortest = forms.shortest
  seen[t] = true
  for key, item in next, t do
    if type(key) == "string" and #key >= shortest and shows(key, forms) then return true end
    local kind = type(item)
    if kind == "string" and #item >= shortest and shows(item, forms) then return true end
    if kind == "table" and not seen[item] and shows_within(item, forms, seen) then return true end
  end
  return false
end

-- The text with each range masked; ranges that overlap are one.
local function masked(text, found)
  table.sort(found, function(a, b) return a[1] < b[1] end)
  local out, at, i = {}, 1, 1
  while found[i] do
    local from, to = found[i][1], found[i][2]
    i = i + 1
    while found[i] and found[i][1] <= to do
      to = math.max(to, found[i][2])
      i = i + 1
    end
    out[#out + 1] = text:sub(at, from - 1)
    at = to + 1
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out, MASK)
end

local function redact_text(text, forms)
  if #text < forms.shortest then return text end
  local found = {}
  find_all(found, text, forms)
  find_dressed(found, text, forms)
  return found[1] and masked(text, found) or text
end

local function redact(value, forms, seen)
  if type(value) == "string" then return redact_text(value, forms) end
  if type(value) ~= "table" then return value end
  if seen[value] then return seen[value] end
  local copy = setmetatable({}, getmetatable(value))
  seen[value] = copy
  for key, item in next, value do rawset(copy, redact(key, forms, seen), redact(item, forms, seen)) end
  return copy
end

-- redact(value, secrets): a value in which each of these texts (of 8 bytes or more) is `[redacted]`, wherever it is and
-- however it is dressed: a copy where one was, the value itself where none is. The list must not change afterwards.
return function(value, secrets)
  local forms = forms_for(secrets)
  if type(value) == "table" and not shows_within(value, forms, {}) then return value end
  return redact(value, forms, {})
end
