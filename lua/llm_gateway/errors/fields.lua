-- errors/fields.lua: walks once through the tables of a refusal and gathers what a program can act on.
-- Leans on errors/embedded.lua for tables inside texts and on the meanings of gateways/ for what a field is called.
-- Never invents a value: what is not there is nil.
--
-- What it gathers: {places (tables, the nearest first), codes (texts, the nearest first), facts (by name), texts (what
-- tables inside texts say), field}.

local embedded = require("llm_gateway.errors.embedded")
local messages = require("llm_gateway.errors.message")
local paths = require("llm_gateway.errors.path")
local scalars = require("llm_gateway.scalars")
local unwrap = require("llm_gateway.errors.unwrap")

local M = {}

local number, text, as_text = scalars.number, scalars.text, scalars.as_text

-- Where more of an error lies, beside its message.
local AROUND = {
  "details", "metadata", "error_details", "data", "message", "innererror", "provider_specific_fields", "detail",
  "param", "violations", "fieldViolations", "base_resp", "error", "fault", "cause", "extra", "inner_error",
  "providerMetadata", "issues", "errors", "promptFeedback", "rate_limit", "rateLimit", "budget", "quota",
}
local MOST_ITEMS, MOST_PLACES = 10, 40

-- Where a code stands, and texts that may carry a table.
local CODES = {
  "code", "error_code", "errorCode", "internalCode", "error_type", "type", "error", "errorcode", "__type", "Code",
  "status", "reason", "finishReason", "finish_reason", "limit_source", "status_code",
  "blockReason", "block_reason",
}
local CARRIERS = { "message", "raw", "detail", "error", "reason", "body", "msg" }

-- ---------------------------------------------------------------------------------------------------------
-- Facts

local function name_of(value)
  if type(value) ~= "table" then return as_text(value) end
  return name_of(value.name) or name_of(value.id) or name_of(value.policy_name) or name_of(value[1])
end

local function span_or_date(value)
  return type(value) == "number" and number(value) or text(value)
end

local READERS = {
  policy_name = name_of, guardrail = name_of, limit = number, current = number, remaining = number,
  size_limit = number, size = number,
  budget_type = text, retry_after = span_or_date, retry_after_ms = number, request_id = text,
}

-- The facts in one table that nearer ones do not have.
local function read_facts(found, place, fields)
  local facts = found.facts
  for i = 1, #fields do
    local value, fact = place[fields[i].name], fields[i].fact
    if value ~= nil and facts[fact] == nil and READERS[fact] then facts[fact] = READERS[fact](value) end
  end
end

-- "com.amazon.coral.service#ExpiredTokenException" -> "ExpiredTokenException"
local function without_namespace(code)
  return code:match("#([^#:]+)") or code
end

local function read_codes(found, place)
  for i = 1, #CODES do
    local value = place[CODES[i]]
    if value ~= nil and type(value) ~= "table" then
      local code = as_text(value)
      if code then found.codes[#found.codes + 1] = without_namespace(code) end
    end
  end
end

local function read_field(found, place)
  local loc, param = place.loc or place.path, place.param or place.field or place.instancePath
  if found.field or (loc == nil and param == nil) then return end
  found.field = (type(loc) == "table" or place.loc ~= nil) and paths.of_list(loc) or paths.of_text(param)
end

-- ---------------------------------------------------------------------------------------------------------
-- The walk

local function add(found, place)
  if found.seen[place] or #found.places >= MOST_PLACES then return end
  found.seen[place] = true
  table.insert(found.places, place)
end

local function add_around(found, place)
  for i = 1, #AROUND do
    local beside = place[AROUND[i]]
    if type(beside) == "table" then
      if beside[1] == nil then add(found, beside) end
      for j = 1, math.min(#beside, MOST_ITEMS) do
        if type(beside[j]) == "table" then add(found, beside[j]) end
      end
    end
  end
end

-- A table inside a text of the place. It is walked through after all others.
local function read_carried(found, place)
  for i = 1, #CARRIERS do
    local value = place[CARRIERS[i]]
    local carried, is_all
    if type(value) == "string" and value:find("{", 1, true) then carried, is_all = embedded.value(value) end
    if carried then
      table.insert(found.carried, { value = carried, text = value, is_all = is_all })
    elseif CARRIERS[i] == "raw" and text(value) then
      table.insert(found.texts, value)
    end
  end
end

local function walk(found, first, fields)
  if type(first) ~= "table" then return end
  local at = #found.places + 1
  add(found, first)
  while found.places[at] do
    local place = found.places[at]
    read_facts(found, place, fields)
    read_codes(found, place)
    read_field(found, place)
    read_carried(found, place)
    add_around(found, place)
    at = at + 1
  end
end

local MOST_CARRIED = 3

-- Texts carry tables, whose texts may carry tables.
local function walk_carried(found, fields)
  local at = 1
  while found.carried[at] and at <= MOST_CARRIED do
    local carried = found.carried[at]
    local inner = unwrap.body(carried.value)
    carried.message = messages.of(inner)
    if carried.message then table.insert(found.texts, carried.message) end
    walk(found, inner, fields)
    walk(found, carried.value, fields)
    at = at + 1
  end
end

-- Gathers out of the table that tells of an error, and out of the whole body; `fields` is the meanings' field_list.
function M.gather(inner, body, fields)
  local found = { places = {}, seen = {}, codes = {}, facts = {}, texts = {}, carried = {} }
  walk(found, inner, fields)
  walk(found, body, fields)
  walk_carried(found, fields)
  return found
end

-- ---------------------------------------------------------------------------------------------------------
-- policy_name, where it is no field

-- A hook may fail without denying; where a gateway leaves `deny` out, having failed is all there is to go by.
local function denied(hook, certain)
  if type(hook) ~= "table" then return false end
  if certain then return hook.deny == true and hook.verdict ~= true end
  return hook.deny == nil and hook.verdict == false
end

local function first_hook(results, certain)
  for _, when in ipairs({ "before_request_hooks", "after_request_hooks" }) do
    local list = results[when]
    for _, hook in ipairs(type(list) == "table" and list or {}) do
      if denied(hook, certain) then return name_of(hook.name) or name_of(hook.id) end
    end
  end
end

local function denying_hook(place)
  local results = place.hook_results
  if type(results) ~= "table" then return nil end
  return first_hook(results, true) or first_hook(results, false)
end

-- The first category, by the alphabet, that a content filter found.
local function filtered_category(place)
  local results, found = place.content_filter_result or place.content_filter_results, nil
  for category, result in pairs(type(results) == "table" and results or {}) do
    if type(result) == "table" and result.filtered == true and (not found or category < found) then found = category end
  end
  return found
end

local function reason_listed(place)
  return type(place.reasons) == "table" and name_of(place.reasons) or nil
end

local function first_of(places, read)
  for i = 1, #places do
    local found = read(places[i])
    if found then return found end
  end
end

-- Which policy denied, where no field is its name; or nil.
function M.denier(found)
  return first_of(found.places, denying_hook) or first_of(found.places, filtered_category)
    or first_of(found.places, reason_listed)
end

-- Whether a moderation says why it denied.
function M.has_reasons(found)
  return first_of(found.places, reason_listed) ~= nil
end

return M
