-- secrets.lua: hides a call's secrets wherever a server, or libcurl, repeats them.
-- Leans on nothing.

local M = {}

local MIN_SECRET_BYTES = 8 -- a shorter one would redact ordinary words

local function replace(text, old, new)
  local from = text:find(old, 1, true)
  if not from then return text end
  local out, at = {}, 1
  while from do
    table.insert(out, text:sub(at, from - 1))
    at = from + #old
    from = text:find(old, at, true)
  end
  table.insert(out, text:sub(at))
  return table.concat(out, new)
end

-- A secret as it stands, as a URL has it (RFC 3986, 2.1; in either case) and as JSON may have it (RFC 8259, 7).
local function add_forms(forms, secret)
  table.insert(forms, secret)
  if secret:find("/", 1, true) then table.insert(forms, (secret:gsub("/", "\\/"))) end
  if not secret:find("[^%w._~-]") then return end
  local of_url = secret:gsub("[^%w._~-]", function(byte) return ("%%%02X"):format(byte:byte()) end)
  table.insert(forms, of_url)
  table.insert(forms, (of_url:gsub("%%%x%x", string.lower)))
end

local function all_forms(secrets)
  local forms = {}
  for i = 1, #secrets do
    if #secrets[i] >= MIN_SECRET_BYTES then add_forms(forms, secrets[i]) end
  end
  return forms
end

local function shows(text, forms)
  for i = 1, #forms do
    if text:find(forms[i], 1, true) then return true end
  end
  return false
end

-- Whether one of the texts is anywhere in a table: most answers show none, and need no copy.
local function shows_within(t, forms, seen)
  seen[t] = true
  for key, item in next, t do
    for i = 1, #forms do -- not by `shows`: an answer has many texts
      if type(key) == "string" and key:find(forms[i], 1, true) then return true end
      if type(item) == "string" and item:find(forms[i], 1, true) then return true end
    end
    local inner = type(item) == "table" and not seen[item]
    if inner and shows_within(item, forms, seen) then return true end
  end
  return false
end

local function redact_text(text, forms)
  for i = 1, #forms do text = replace(text, forms[i], "[redacted]") end
  return text
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

-- A value in which each of these texts (of 8 bytes or more) is `[redacted]`, wherever it is: a copy where one was, the
-- value itself where none is.
function M.redact(value, secrets)
  if not secrets or not secrets[1] then return value end
  local forms = all_forms(secrets)
  if type(value) == "table" and not shows_within(value, forms, {}) then return value end
  if type(value) == "string" and not shows(value, forms) then return value end
  table.sort(forms, function(a, b) return #a > #b end) -- longest first: one secret may be a part of another
  return redact(value, forms, {})
end

return M
