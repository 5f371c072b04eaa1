-- client/verbs.lua: the verbs of a client that a chat does not need: embeddings, models, health, request.
-- Leans on client/asking.lua. client.lua says what each takes and returns, and checks the client first; `level` says
-- how far above the caller misuse is told.

local answers = require("llm_gateway.reply.results")
local asking = require("llm_gateway.client.asking")
local call_options = require("llm_gateway.request.call_options")
local dialects = require("llm_gateway.reply.dialects")
local errors = require("llm_gateway.errors")
local fields = require("llm_gateway.http.fields")
local lazy = require("llm_gateway.lazy")
local request_models = require("llm_gateway.request.models")
local target = require("llm_gateway.request.target")

local payload = lazy("llm_gateway.request.payload")

local M = {}

function M.embeddings(self, config, request, level)
  local body, own = asking.prepare(config, request, request_models.embeddings, level + 1)
  if not body then return nil, own end
  local call = { method = "POST", endpoint = "/embeddings", value = body, has_vectors = true }
  local answer, err = asking.perform(self, config, own, call, level + 1)
  if not answer then return nil, err end
  return answers.embeddings(answer, call)
end

-- A request may have these fields, and the options of a call; the error says that, and what else there is to do.
local function check_names(request, own, known, advice)
  for name in pairs(request) do
    if not known[name] and (own[name] == nil or name == "extra_body") then
      return errors.invalid(tostring(name), "is no field of a request" .. advice)
    end
  end
end

-- The options of a call that has nothing else.
local function plain_options(request, level)
  if request == nil then return {} end
  local own, err = call_options.read(request, level + 1)
  if not own then return nil, err end
  err = check_names(request, own, {}, " that takes only options")
  if err then return nil, err end
  return own
end

function M.models(self, config, request, level)
  local own, err = plain_options(request, level + 1)
  if not own then return nil, err end
  local answer
  answer, err = asking.perform(self, config, own, { method = "GET", endpoint = "/models" }, level + 1)
  if not answer then return nil, err end
  return answers.models(answer)
end

local function is_plain_text(answer)
  return fields.media_type(answer) == "text/plain"
end

-- Whatever a 2xx says is health. A server that says with a 503, in JSON or in plain words, that it is not well has
-- still answered; a page of HTML is a proxy's.
local function accepts_health(answer)
  if answer.status >= 200 and answer.status <= 299 then return true end
  return answer.status == 503 and (answer.value ~= nil or is_plain_text(answer))
end

local function health_call(config)
  local path = config.profile and config.profile.health_path or "/health"
  return { method = "GET", path = path, accepts = accepts_health }
end

function M.health(self, config, request, level)
  local own, err = plain_options(request, level + 1)
  if not own then return nil, err end
  own.max_retries = 0
  local answer
  answer, err = asking.perform(self, config, own, health_call(config), level + 1)
  if not answer then return nil, err end
  return answers.health(answer)
end

local IN_BODY = ": what goes to the gateway belongs in `body`"
local REQUEST_FIELDS = {
  method = true, path = true, body = true, stream = true, multipart = true, into = true, on_progress = true,
}

function M.request(self, config, request, level)
  if type(request) ~= "table" then error("request: expected a table, got " .. type(request), level + 1) end
  local own, err = call_options.read(request, level + 1)
  err = err or target.fault(request) or check_names(request, own, REQUEST_FIELDS, IN_BODY)
  if err then return nil, err end
  local call = { method = request.method or "POST", path = request.path, stream = request.stream }
  err = payload.put(call, request, config.headers)
  if err then return nil, err end
  local answer
  answer, err = asking.perform(self, config, own, call, level + 1)
  if not answer then return nil, err end
  if call.into then return answers.file(answer, call.into) end
  if call.streamed then return answers.stream(answer, call, dialects.of_path(call.path)) end
  return answers.value(answer)
end

return M
