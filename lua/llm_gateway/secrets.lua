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
local function forms_of(secret)
  local of_url = secret:gsub("[^%w._~-]", function(byte) return ("%%%02X"):format(byte:byte()) end)
  local lower = of_url:gsub("%%%x%x", string.lower)
  return { secret, of_url, lower, (secret:gsub("/", "\\/")) }
end

-- Longest first: one secret may be a part of another.
local function all_forms(secrets)
  local forms, known = {}, {}
  for _, secret in ipairs(secrets) do
    for _, form in ipairs(#secret >= MIN_SECRET_BYTES and forms_of(secret) or {}) do
      if not known[form] then table.insert(forms, form) end
      known[form] = true
    end
  end
  table.sort(forms, function(a, b) return #a > #b end)
  return forms
end

local function redact_text(text, forms)
  for _, form in ipairs(forms) do text = replace(text, form, "[redacted]") end
  return text
end

local function redact(value, forms, seen)
  if type(value) == "string" then return redact_text(value, forms) end
  if type(value) ~= "table" then return value end
  if seen[value] then return seen[value] end
  local copy = setmetatable({}, getmetatable(value))
  seen[value] = copy
  for key, item in pairs(value) do rawset(copy, redact(key, forms, seen), redact(item, forms, seen)) end
  return copy
end

-- A copy of a value in which each of these texts (of 8 bytes or more) is `[redacted]`, wherever it is.
function M.redact(value, secrets)
  if not secrets or not secrets[1] then return value end
  return redact(value, all_forms(secrets), {})
end

return M
