-- gateways/init.lua: what is known of gateways and providers: what each wants, and what its answers mean.
-- Leans on gateways/merge.lua for what they mean together, and on names.lua. What is known lies in one file each
-- beside this one; gateways/common.lua has what is said by many. Never looks at an answer itself.
--
-- A profile is a table:
--   name           text
--   what it wants
--   auth           "bearer", "x-api-key", or {header =, prefix =}; or a list of these
--   api_path       what stands between an origin and "/chat/completions"
--   health_path    where it says how it is
--   identity       {app =, org =, feature =, dry_run =}: names of header fields, each a text or a list
--   reasoning      how a request says how hard to think: see helpers/reasoning.lua
--   refusal_in_200 a list of {field =, value =, kind =}: a plain 200 with that value is a refusal
--   what its answers mean
--   statuses       {[status] = kind}
--   codes          {kind = {code, ...}}: in snake case; `*` stands for anything
--   own_codes      the same, for what could be another's code: asked only where this profile is named
--   words          {kind = {phrase, ...}}: whole words in lower case; "..." stands for anything between, and a table
--                  {phrase, except = {phrase, ...}} for words that mean it only without others
--   said           templates of words with slots: "spend={current}, budget={limit}"; {template, last = true} for the
--                  last of several places
--   said_nothing   messages that say nothing, so that what is beside them is said too
--   fields         {fact = {name, ...}}: of a body; headers: of an answer (`*` at its end as above)
--   request_ids    names of header fields
-- The kinds are those of errors, `too_large` (a kind of validation), `in_flight` (a budget that comes back) and `vague`
-- (of a code that says less than the words and the status beside it).
-- The facts are policy_name, guardrail (a name too, and a sign that one denied), limit, current, remaining, size_limit,
-- size, budget_type, retry_after, retry_after_ms, request_id; and of replies cost, cache, provider, model, attempts.

local lazy = require("llm_gateway.lazy")
local spelling = require("llm_gateway.names")

local shapes = lazy("llm_gateway.gateways.shapes")

local M = {}

local NAMES = {
  "agentgateway", "anthropic", "apiconnect", "apigee", "apisix", "azure", "baidu", "bedrock", "bifrost", "cloudflare",
  "dashscope", "databricks", "deepseek", "envoy", "gemini", "groq", "helicone", "higress", "huggingface", "kong",
  "litellm", "llamacpp", "lmstudio", "minimax", "mistral", "mlflow", "moonshot", "ollama", "openai", "openrouter",
  "portkey", "tensorwall", "tensorzero", "vercel", "vllm", "volcengine", "watsonx", "wso2", "xai", "zhipu",
}

local KNOWN = {}
for _, name in ipairs(NAMES) do KNOWN[name] = true end

local KEYS = {
  name = "string", api_path = "string", health_path = "string", reasoning = "string",
  identity = "table", refusal_in_200 = "table", statuses = "table", codes = "table", own_codes = "table",
  words = "table", said = "table", said_nothing = "table", fields = "table", headers = "table", request_ids = "table",
}

local KEY_NAMES = { "auth" }
for key in pairs(KEYS) do table.insert(KEY_NAMES, key) end

local AUTH = { bearer = { header = "Authorization", prefix = "Bearer " }, ["x-api-key"] = { header = "X-API-Key" } }

-- ---------------------------------------------------------------------------------------------------------
-- Profiles

local function listed(value)
  if type(value) == "table" and value[1] ~= nil then return value end
  return { value }
end

local function ways_of_auth(given)
  local ways = {}
  for i, way in ipairs(given ~= nil and listed(given) or {}) do ways[i] = AUTH[way] or way end
  return ways
end

local function identity_of(given)
  local fields = {}
  for who, names in pairs(given or {}) do fields[who] = listed(names) end
  return fields
end

-- A copy in which `auth` is a list of {header =, prefix =} (the prefix may be nil) and each of `identity` a list.
local function completed(given)
  local profile = {}
  for key, value in pairs(given) do profile[key] = value end
  profile.auth, profile.identity = ways_of_auth(given.auth), identity_of(given.identity)
  return profile
end

local function auth_fault(given)
  for _, way in ipairs(listed(given)) do
    local is_field = type(way) == "table" and type(way.header) == "string"
      and (way.prefix == nil or type(way.prefix) == "string")
    if not AUTH[way] and not is_field then
      return 'auth: expected "bearer", "x-api-key" or {header = ..., prefix = ...}'
    end
  end
end

local function fault_of(given)
  for key, value in pairs(given) do
    if key ~= "auth" and not KEYS[key] then
      return ("unknown key %q: did you mean %q?"):format(tostring(key), spelling.nearest(key, KEY_NAMES))
    end
    if KEYS[key] and type(value) ~= KEYS[key] then
      return ("%s: expected a %s, got a %s"):format(key, KEYS[key], type(value))
    end
  end
  return given.auth ~= nil and auth_fault(given.auth) or shapes.fault_of(given)
end

local profiles = {}

-- The profile of a name; or nil and the nearest name that there is.
function M.named(name)
  if not KNOWN[name] then return nil, spelling.nearest(name, NAMES) end
  if not profiles[name] then profiles[name] = completed(require("llm_gateway.gateways." .. name)) end
  return profiles[name]
end

-- A profile of the user's own, out of a table; or nil and what is wrong with it. The table is not kept.
function M.check(given)
  if type(given) ~= "table" then return nil, "expected a profile's table, got " .. type(given) end
  local fault = fault_of(given)
  if fault then return nil, fault end
  return completed(given)
end

-- The names that there are, a new list.
function M.names()
  local names = {}
  for i, name in ipairs(NAMES) do names[i] = name end
  return names
end

-- ---------------------------------------------------------------------------------------------------------
-- Meanings

local merged = setmetatable({}, { __mode = "k" }) -- by profile

-- What answers mean: of every profile together, with the given one's own first (nil: none is). Loads all files, once;
-- so whoever starts asks for it only when there is something to read. See gateways/merge.lua for its fields.
function M.meanings(profile)
  local key = profile or M
  if not merged[key] then
    local all = { require("llm_gateway.gateways.common") }
    for i, name in ipairs(NAMES) do all[i + 1] = M.named(name) end
    merged[key] = require("llm_gateway.gateways.merge")(profile, all)
  end
  return merged[key]
end

return M
