-- cli/doctor/init.lua: `llm-gateway doctor URL`: finds out what a gateway nobody told us about can do.
-- It asks in the order in which one question needs the other's answer, and stops where there is no use in going on.

local auth = require("llm_gateway.cli.doctor.auth")
local connection = require("llm_gateway.cli.connection")
local exits = require("llm_gateway.cli.exits")
local marks = require("llm_gateway.cli.doctor.marks")
local probes = require("llm_gateway.cli.doctor.probe")
local reports = require("llm_gateway.cli.doctor.report")
local talk = require("llm_gateway.cli.doctor.talk")

local DEFAULT_TIMEOUT = 10 -- seconds
local API_PATHS = { "/v1", "", "/api/v1", "/openai/v1", "/v1beta/openai", "/api/paas/v4", "/compatible-mode/v1" }
-- LiteLLM asks and bills every model for /health: its readiness goes first.
local HEALTH_PATHS = { "/health/readiness", "/health", "/healthz", "/v1/health", "/api/health", "/ping" }
local NO_SUCH_PATH = "/llm-gateway-doctor-no-such-path"

local function quoted(text) return ("%q"):format(text) end

-- ---------------------------------------------------------------------------------------------------------
-- Who is there

-- {scheme, host, origin, path} of an address; or nil and what is wrong with it.
local function parts_of(url)
  local origin, path = url:match("^(%a+://[^/?#]+)([^?#]*)")
  if not origin then return nil, ("%s is no address: write http://host:port"):format(url) end
  return { origin = origin, path = (path:gsub("/+$", "")), tls = origin:lower():find("^https") ~= nil }
end

local function is_page(answer)
  return type(answer.value) == "string" and answer.value:find("^%s*<") ~= nil
end

-- Whether anybody speaks HTTP there. Returns the answer to a path that no gateway has; or nil, err.
local function look(self)
  local answer, err = self.probe:send("GET", self.place.path .. NO_SUCH_PATH)
  if not answer then
    self.report:add("no", "reachable", tostring(err))
    return nil, err
  end
  self.report:add("ok", "reachable", self.place.origin)
  if self.place.tls then self.report:add("ok", "TLS", "its certificate is trusted") end
  return answer
end

-- ---------------------------------------------------------------------------------------------------------
-- Where its API is

-- The paths to try: what the address ends with goes first where it has a version of its own.
local function candidates(self)
  local path = self.place.path
  if path:find("/v%d[%w]*") or path:find("/serving%-endpoints") or path:find("/openai/deployments/") then
    return { path }
  end
  local list = {}
  for i, api in ipairs(API_PATHS) do list[i] = path .. api end
  return list
end

local function models_in(value)
  if type(value) ~= "table" then return nil end
  local list = value.data or value.models or value
  if type(list) ~= "table" or (list[1] == nil and value.object ~= "list") then return nil end
  return list
end

-- A refusal of what is there, not of what is not.
local function is_complaint(answer)
  return answer.status >= 400 and answer.status ~= 404 and answer.status ~= 405 and type(answer.value) == "table"
end

-- Looks for a list of models. Returns the path that has one, and the list; nil and the first path that asked for a key.
-- Keeps the first complaint, as {path, answer}.
local function find_api(self)
  local locked
  for _, path in ipairs(candidates(self)) do
    local answer = self.probe:send("GET", path .. "/models")
    local models = answer and answer.status == 200 and models_in(answer.value)
    if models then return path, models, answer end
    if answer and (answer.status == 401 or answer.status == 403) then locked = locked or path end
    if answer and is_complaint(answer) then self.complaint = self.complaint or { path = path, answer = answer } end
  end
  return nil, locked
end

-- A path that refused the key asks for it in one header alone, perhaps one that only few gateways know. Returns what
-- find_api does.
local function unlock(self, path)
  for _, scheme in ipairs(self.probe.key and probes.SCHEMES or {}) do
    local answer = not scheme.common and self.probe:send("GET", path .. "/models", { scheme = scheme })
    local models = answer and answer.status == 200 and models_in(answer.value)
    if models then
      self.scheme = scheme
      return path, models, answer
    end
  end
  return nil, path
end

local function name_of(model)
  return type(model) == "table" and (model.id or model.name or model.model) or model
end

-- The first model that is not one for embeddings, speech or pictures.
local function model_to_ask(models)
  for _, model in ipairs(models) do
    local name = tostring(name_of(model))
    if not name:lower():find("embed") and not name:lower():find("whisper") and not name:lower():find("tts")
      and not name:lower():find("dall") and not name:lower():find("rerank") and not name:lower():find("moderation") then
      return name
    end
  end
  return models[1] and tostring(name_of(models[1]))
end

-- Nothing but complaints of something else than the key.
local function report_complaint(self)
  local path, err = self.complaint.path, self.complaint.answer.err
  self.report:add("no", "api path", ("%s/models says: %s"):format(path, tostring(err)))
  self.report:add("skip", "headers", "if it wants one: --header NAME:VALUE")
  return exits.BY_KIND[err.kind] or exits.FAILED
end

local function report_locked(self, path, everywhere)
  local words = self.probe.key and "the key was refused" or "it wants a key: set LLM_GATEWAY_API_KEY or --key-file"
  if everywhere then words = words .. "; it answers the same to every path, so nothing more can be told" end
  self.report:add("no", "api path", ("%s/models: %s"):format(path, words))
  return exits.BY_KIND.authentication
end

-- ---------------------------------------------------------------------------------------------------------
-- What it wants

-- What the profile of that name knows; an empty table without one.
local function profile_of(name)
  return name and require("llm_gateway.gateways").named(name) or {}
end

-- A profile knows its path, and which is not to be asked.
local function find_health(self, name)
  local known = profile_of(name).health_path
  for _, path in ipairs(known and { known } or HEALTH_PATHS) do
    local answer = self.probe:send("GET", self.place.path .. path, { scheme = self.scheme or nil })
    if answer and answer.status >= 200 and answer.status < 300 and not is_page(answer) then
      self.report:add("ok", "health", path)
      return answer
    end
  end
  self.report:add("skip", "health", "none of " .. table.concat(known and { known } or HEALTH_PATHS, ", "))
end

-- ---------------------------------------------------------------------------------------------------------
-- Which one it is

-- Its profile's name, or nil.
local function find_profile(self, models, answers)
  local owner = type(models[1]) == "table" and models[1].owned_by
  local service = self.health and type(self.health.value) == "table" and self.health.value.service
  return marks.profile(answers, owner, service)
end

local function report_profile(self, name)
  if not profile_of(name).name then
    return self.report:add("skip", "profile", "none is sure: unnamed, every gateway's words are understood")
  end
  self.report:add("ok", "profile", name)
  self.report:set("gateway", quoted(name))
end

-- ---------------------------------------------------------------------------------------------------------

-- Where a chat is answered, if the model is named: some gateways list no models. Returns the path and an empty list.
local function find_chat(self, model)
  local body = { model = model, messages = { { role = "user", content = "Hi" } }, max_tokens = 1 }
  for _, path in ipairs(model and candidates(self) or {}) do
    local answer = self.probe:send("POST", path .. "/chat/completions", { body = body })
    if answer and answer.status ~= 404 and answer.status ~= 405 and type(answer.value) == "table" then
      talk.spend(self, answer.value.usage)
      return path, {}, answer
    end
  end
end

-- What stands before the endpoints: part of the address where the library's own rule finds it, else an option.
local function report_path(self, path, models)
  self.report:add("ok", "api path", path == "" and "none: endpoints follow the address" or path)
  self.report:add(models[1] and "ok" or "skip", "models", models[1]
    and ("%d, such as %s"):format(#models, tostring(name_of(models[1]))) or "it lists none")
  local guessed = path == self.place.path .. "/v1" or path == self.place.path
  self.report:set("base_url", quoted(self.place.origin .. (guessed and self.place.path or path)))
  if path == "" then self.report:set("api_path", '""') end
end

-- Where no API was found. locked: the path that wants a key, or nil.
local function report_no_api(self, nowhere, locked)
  local name = marks.profile({ self.complaint and self.complaint.answer or nowhere, nowhere })
  local status
  if locked then
    status = report_locked(self, locked, nowhere.status == 401 or nowhere.status == 403)
  elseif self.complaint then
    status = report_complaint(self)
  else
    self.report:add("no", "api path", nowhere.status < 400 and is_page(nowhere)
      and "a web page answers there, not an API: is the address right?"
      or "no list of models at any path that gateways use; name one to try: --model NAME")
    status = exits.BY_KIND.not_found
  end
  if name then self.report:add("ok", "profile", name) end
  return status
end

local function examine(self, args)
  local nowhere, err = look(self)
  if not nowhere then return exits.BY_KIND[err.kind] or exits.FAILED end
  local path, models, listed = find_api(self)
  if not path and models then path, models, listed = unlock(self, models) end
  if not path and not models and not args.no_chat then path, models, listed = find_chat(self, args.model) end
  if not path then return report_no_api(self, nowhere, models) end
  report_path(self, path, models)
  if models[1] then self.scheme = auth.find(self, path) end
  auth.report(self, models)
  local said = { listed, nowhere }
  self.health = find_health(self, find_profile(self, models, said))
  if not args.no_chat then table.insert(said, 1, talk.examine(self, path, args.model or model_to_ask(models))) end
  local name = find_profile(self, models, said)
  report_profile(self, name)
  auth.report_headers(self, profile_of(name).auth)
  return exits.OK
end

-- Runs the command. Returns the exit status.
return function(args)
  local url = args.url or os.getenv("LLM_GATEWAY_BASE_URL")
  if not url then return exits.usage("doctor wants an address: llm-gateway doctor http://localhost:8000") end
  local place, why = parts_of(url)
  if not place then return exits.usage(why) end
  local key = os.getenv("LLM_GATEWAY_API_KEY")
  if args.key_file then
    key, why = connection.key_of(args.key_file)
    if not key then return exits.usage(why) end
  end
  local headers
  headers, why = connection.headers_of(args)
  if not headers then return exits.usage(why) end
  local self = { place = place, spent = 0, report = reports.new(), headers = headers }
  self.probe = probes.new(place.origin, key ~= "" and key or nil, args.timeout or DEFAULT_TIMEOUT, headers)
  local status = examine(self, args)
  if self.report.options[1] then self.report:finish(self.spent, self.probe.requests) end
  return status
end
