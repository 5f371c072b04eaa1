-- client/asking.lua: how a verb of a client asks: its request is checked, sent, and answered.
-- Leans on request/ for what may be sent, on call/ for sending it, on reply/ for what comes back.
-- `level` says how far above the caller misuse is told.

local answers = require("llm_gateway.reply.results")
local call_options = require("llm_gateway.request.call_options")
local calls = require("llm_gateway.call")
local dialects = require("llm_gateway.reply.dialects")
local lazy = require("llm_gateway.lazy")
local models = require("llm_gateway.request.models")
local outgoing = require("llm_gateway.request.outgoing")
local wait = require("llm_gateway.loop.wait")

local reasoning = lazy("llm_gateway.helpers.reasoning")
local structured = lazy("llm_gateway.helpers.structured")
local wanted = lazy("llm_gateway.reply.wanted")

local NONE = {}

local M = {}

-- Makes the call {method, endpoint or path, value (body) or nil, stream, accepts} with the request's own options.
-- Returns an answer, or nil, err.
function M.perform(self, config, own, call, level)
  wait.enter(config.loop, level + 1)
  local complete, err = outgoing.complete(call, config, own)
  if not complete then return nil, err end
  wait.try_to_wait()
  call.client = self
  local answer
  answer, err = calls.make(call)
  if not answer then outgoing.explain(err, call) end
  return answer, err
end

-- A checked model's body with the client's app filled in, and the request's own options; or nil, err.
function M.prepare(config, given, build, level)
  local own, err = call_options.read(given, level + 1)
  if not own then return nil, err end
  local body
  body, err = build(given)
  if not body then return nil, err end
  if body.app_id == nil then body.app_id = config.app_id end
  return body, own
end

-- The verbs that ask in a dialect.
local function verb(name, endpoint)
  local dialect = dialects[name]
  return { name = name, build = models[name], endpoint = endpoint, dialect = dialect, fault = answers.fault(dialect) }
end

M.chat = verb("chat", "/chat/completions")
M.responses = verb("responses", "/responses")
M.messages = verb("messages", "/messages")

-- Sends a verb's body. Returns what the verb does.
local function send(self, config, own, body, asked, level)
  local dialect = asked.dialect
  local call = { -- with what is filled in on the way, so that the table need not grow: sixteen fields
    method = "POST", endpoint = asked.endpoint, value = body, stream = body.stream == true, fault = asked.fault,
    client = self, loop = config.loop, options = config, attempts = 0, started = 0, body = "", url = "",
    headers = NONE, secrets = NONE, streamed = false, head = nil,
  }
  if dialect.headers then call.wanted_fields = dialect.headers end
  local answer, err = M.perform(self, config, own, call, level + 1)
  if not answer then return nil, err end
  if call.streamed then return answers.stream(answer, call, dialect) end
  return answers.completion(answer, call, dialect)
end

-- What is asked beyond the API's own fields goes into the body, in the form that this dialect (by name) and its gateway
-- have for it. way: see reasoning.put. Returns the schema that the answer is to fit, or nil; or nil, err.
local function put_helpers(body, request, dialect, way)
  local schema, err
  if request.response_format ~= nil then schema, err = structured.ask(body, request, dialect) end
  if not err and body.reasoning ~= nil then err = reasoning.put(body, way) end
  return schema, err
end

-- Asks in a dialect, by one of the verbs above. way: see reasoning.put. Returns what the verb does.
function M.ask(self, config, request, asked, way, level)
  local body, own = M.prepare(config, request, asked.build, level + 1)
  if not body then return nil, own end
  local schema, err = put_helpers(body, request, asked.name, way)
  if err then return nil, err end
  local answer, second, third, fourth = send(self, config, own, body, asked, level + 1)
  if schema ~= nil and answer then wanted.expect(answer, schema) end
  return answer, second, third, fourth
end

return M
