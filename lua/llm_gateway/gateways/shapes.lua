-- gateways/shapes.lua: what is wrong with a profile that a user wrote; gateways/init.lua says what each key means.
-- Leans on kinds.lua and names.lua. A slip in a profile would be found by the first refusal only, or never.

local names = require("llm_gateway.names")

local function set(text)
  local all = {}
  for word in text:gmatch("%S+") do all[word] = true end
  return all
end

local KINDS = set(table.concat(require("llm_gateway.gateways.kinds"), " "))
local FACTS = set("policy_name guardrail limit current remaining size_limit size budget_type retry_after "
  .. "retry_after_ms request_id cost cache provider model attempts rate_limited rate_limit_policy")
local WHO = set("app org feature dry_run")

-- Each of these returns what is wrong with a value at a place ("codes.policy_denied[2]"), or nil.

local function unlike(place, wanted, value)
  return ("%s: expected %s, got a %s"):format(place, wanted, type(value))
end

local function text(value, place)
  if type(value) ~= "string" then return unlike(place, "text", value) end
end

-- What is compared with the words of a gateway, which are lowered.
local function lowered(value, place)
  local fault = text(value, place)
  if not fault and value:find("%u") then fault = place .. ": is written in lower case" end
  return fault
end

local function kind(value, place)
  if not KINDS[value] then return ("%s: %s"):format(place, names.unknown("kind", value, KINDS)) end
end

local function list_of(item)
  return function(value, place)
    if type(value) ~= "table" then return unlike(place, "a list", value) end
    for i in pairs(value) do
      local fault = type(i) ~= "number" and place .. ": expected a list, got a table with names"
        or item(value[i], ("%s[%s]"):format(place, i))
      if fault then return fault end
    end
  end
end

local function by(what, known, item)
  return function(value, place)
    for name, one in pairs(value) do
      if not known[name] then return ("%s: %s"):format(place, names.unknown(what, name, known)) end
      local fault = item(one, place .. "." .. name)
      if fault then return fault end
    end
  end
end

local function phrase(value, place)
  if type(value) ~= "table" then return lowered(value, place) end
  local except = value.except
  return lowered(value[1], place .. "[1]") or (except ~= nil and list_of(lowered)(except, place .. ".except")) or nil
end

local function template(value, place)
  local words = type(value) == "table" and value[1] or value
  local fault = text(words, place)
  if fault then return fault end
  local slots = 0
  for slot in words:gmatch("{([%w_]+)}") do
    if not FACTS[slot] then return ("%s: %s"):format(place, names.unknown("slot", slot, FACTS)) end
    slots = slots + 1
  end
  if slots == 0 then return place .. ": has no slot, such as {limit}" end
end

local function refusal(value, place)
  if type(value) ~= "table" then return unlike(place, "{field =, value =, kind =}", value) end
  return text(value.field, place .. ".field") or kind(value.kind, place .. ".kind")
end

local function statuses(value, place)
  for status, one in pairs(value) do
    if type(status) ~= "number" then return unlike(place, "statuses for keys", status) end
    local fault = kind(one, ("%s[%s]"):format(place, status))
    if fault then return fault end
  end
end

local function text_or_list(value, place)
  return type(value) == "table" and list_of(text)(value, place) or type(value) ~= "table" and text(value, place) or nil
end

local CHECKS = {
  statuses = statuses, codes = by("kind", KINDS, list_of(lowered)), own_codes = by("kind", KINDS, list_of(lowered)),
  words = by("kind", KINDS, list_of(phrase)), said = list_of(template), said_nothing = list_of(lowered),
  fields = by("fact", FACTS, list_of(text)), headers = by("fact", FACTS, list_of(lowered)),
  request_ids = list_of(lowered), identity = by("key", WHO, text_or_list), refusal_in_200 = list_of(refusal),
}

-- What is wrong with a profile whose keys and their types are right; nil when nothing is.
local function fault_of(profile)
  for key, check in pairs(CHECKS) do
    local fault = profile[key] ~= nil and check(profile[key], key)
    if fault then return fault end
  end
end

return { fault_of = fault_of }
