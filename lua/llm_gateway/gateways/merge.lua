-- gateways/merge.lua: what many profiles' answers mean, as one table that is quick to ask.
-- Leans on gateways/said.lua, which reads words. The first profile that says something of a code, a field or a status
-- wins. The result:
--   statuses  {[status] = kind}; outcomes: {[outcome] = kind}
--   codes     {[code in snake case] = kind}; code_patterns: a list of {pattern, kind}, to be asked in this order
--   words     {[kind] = phrases}: see `phrases`
--   said      {numbers = templates, [any other slot] = templates}
--   fields    {[name] = {name =, fact =, rank =}}: of two names for one fact the lower rank wins; field_list: the same,
--             by rank
--   headers   {[fact] = {exact = {name, ...}, prefixes = {text, ...}}}
--   said_nothing   phrases
--   refusal_in_200 the named profile's

local KINDS = require("llm_gateway.gateways.kinds")
local said = require("llm_gateway.gateways.said")

-- Calls visit(profile's table under `key`) for each profile that has one.
local function each(profiles, key, visit)
  for _, profile in ipairs(profiles) do
    if profile[key] then visit(profile[key]) end
  end
end

local function statuses_of(profiles)
  local all = {}
  each(profiles, "statuses", function(statuses)
    for status, kind in pairs(statuses) do all[status] = all[status] or kind end
  end)
  return all
end

local function outcomes_of(profiles)
  local all = {}
  each(profiles, "outcomes", function(outcomes)
    for outcome, kind in pairs(outcomes) do all[outcome] = all[outcome] or kind end
  end)
  return all
end

local function phrases_of(profiles, key)
  local list = {}
  each(profiles, key, function(phrases)
    for _, phrase in ipairs(phrases) do table.insert(list, phrase) end
  end)
  return said.phrases(list)
end

local function pattern_of(code)
  local from_start, to_end = code:sub(1, 1) ~= "*", code:sub(-1) ~= "*"
  local text = code:gsub("^%*", ""):gsub("%*$", ""):gsub("%p", "%%%0"):gsub("%%%*", ".*")
  return (from_start and "^" or "") .. text .. (to_end and "$" or "")
end

local function codes_of(profiles, named)
  local exact, patterns = {}, {}
  local function add(kind, code)
    if code:find("*", 1, true) then
      patterns[kind] = patterns[kind] or {}
      table.insert(patterns[kind], { pattern_of(code), kind })
    else
      exact[code] = exact[code] or kind
    end
  end
  local function visit(codes)
    for _, kind in ipairs(KINDS) do
      for _, code in ipairs(codes[kind] or {}) do add(kind, code) end
    end
  end
  if named and named.own_codes then visit(named.own_codes) end
  each(profiles, "codes", visit)
  local ordered = {}
  for _, kind in ipairs(KINDS) do
    for _, pattern in ipairs(patterns[kind] or {}) do table.insert(ordered, pattern) end
  end
  return exact, ordered
end

local function words_of(profiles)
  local all = {}
  for _, kind in ipairs(KINDS) do
    local list = {}
    each(profiles, "words", function(words)
      for _, phrase in ipairs(words[kind] or {}) do table.insert(list, phrase) end
    end)
    all[kind] = said.phrases(list)
  end
  return all
end

-- Templates of numbers are read together, each other by what its slot is.
local function group_of(template)
  local slot = (type(template) == "table" and template[1] or template):match("{([%w_]+)}")
  return said.NUMBERS[slot] and "numbers" or slot
end

local function said_of(profiles)
  local lists, all = {}, { numbers = said.templates({}) }
  each(profiles, "said", function(templates)
    for _, template in ipairs(templates) do
      local group = group_of(template)
      lists[group] = lists[group] or {}
      table.insert(lists[group], template)
    end
  end)
  for group, list in pairs(lists) do all[group] = said.templates(list) end
  return all
end

local function fields_of(profiles)
  local by_name, list = {}, {}
  each(profiles, "fields", function(facts)
    for fact, names in pairs(facts) do
      for _, name in ipairs(names) do
        if not by_name[name] then
          by_name[name] = { name = name, fact = fact, rank = #list + 1 }
          table.insert(list, by_name[name])
        end
      end
    end
  end)
  return by_name, list
end

local function add_header(list, known, name)
  if known[name] then return end
  known[name] = true
  table.insert(list, name)
end

local function headers_of(profiles)
  local all, known = {}, {}
  local function visit(facts)
    for fact, names in pairs(facts) do
      all[fact] = all[fact] or { exact = {}, prefixes = {} }
      for _, name in ipairs(names) do
        local prefix = name:match("^(.*)%*$")
        add_header(prefix and all[fact].prefixes or all[fact].exact, known, prefix or name)
      end
    end
  end
  each(profiles, "headers", visit)
  each(profiles, "request_ids", function(names) visit({ request_id = names }) end)
  return all
end

return function(named, others)
  local profiles = { named }
  for _, profile in ipairs(others) do
    if profile ~= named then table.insert(profiles, profile) end
  end
  local codes, patterns = codes_of(profiles, named)
  local fields, field_list = fields_of(profiles)
  return {
    statuses = statuses_of(profiles), outcomes = outcomes_of(profiles), codes = codes, code_patterns = patterns,
    words = words_of(profiles),
    said = said_of(profiles), fields = fields, field_list = field_list, headers = headers_of(profiles),
    said_nothing = phrases_of(profiles, "said_nothing"), refusal_in_200 = named and named.refusal_in_200,
  }
end
