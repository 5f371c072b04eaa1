-- client.lua: the verbs of a client: chat, embeddings, models, health, request, with, close.
-- Leans on request/ for what may be sent, on call/ for sending it, on reply/ for what comes back. The client object
-- itself is the C core's; what it was made of stays in here.

local answers = require("llm_gateway.reply.results")
local call_options = require("llm_gateway.request.call_options")
local calls = require("llm_gateway.call")
local core = require("llm_gateway.core")
local dialects = require("llm_gateway.reply.dialects")
local fault = require("llm_gateway.request.fault")
local loops = require("llm_gateway.loop")
local models = require("llm_gateway.request.models")
local options = require("llm_gateway.options")
local outgoing = require("llm_gateway.request.outgoing")
local reasoning = require("llm_gateway.helpers.reasoning")
local secrets = require("llm_gateway.secrets")
local structured = require("llm_gateway.helpers.structured")
local target = require("llm_gateway.request.target")
local url = require("llm_gateway.http.url")
local wait = require("llm_gateway.loop.wait")

local Client = core.client_methods

-- The configuration of a client and whether it is open; nil of anything else. What the core keeps of a client, and
-- hands out to whoever asks, is a table that shows neither a key nor a hook.
local function config_of(client)
  local kept, open = core.config(client)
  if kept and kept.reveal then return kept.reveal(), open end
end

local WITHOUT_REQUEST = { close = true, models = true, health = true }

local function check_client(self, name, level)
  local config, open = config_of(self)
  if not config then
    local call = WITHOUT_REQUEST[name] and "()" or "{...}"
    error(("%s: expected a client, got %s (is it client:%s%s?)"):format(name, type(self), name, call), level + 1)
  end
  if not open then error(name .. ": the client is closed", level + 1) end
  return config
end

-- ---------------------------------------------------------------------------------------------------------
-- A call

-- Makes the call {method, endpoint or path, value (body) or nil, stream, accepts} with the request's own options.
-- Returns an answer, or nil, err.
local function perform(self, config, own, call, level)
  wait.enter(config.loop, level + 1)
  local complete, err = outgoing.complete(call, config, own)
  if not complete then return nil, err end
  call.client = self
  local answer
  answer, err = calls.make(call)
  if not answer then outgoing.explain(err, call) end
  return answer, err
end

-- ---------------------------------------------------------------------------------------------------------
-- Verbs

-- A checked model's body with the client's app filled in, and the request's own options; or nil, err.
local function prepare(config, given, build)
  local own, err = call_options.read(given, 3)
  if not own then return nil, err end
  local body
  body, err = build(given)
  if not body then return nil, err end
  if body.app_id == nil then body.app_id = config.app_id end
  return body, own
end

local faults = {}
for _, dialect in ipairs({ dialects.chat, dialects.responses, dialects.messages }) do
  faults[dialect] = answers.fault(dialect)
end

-- Asks in a dialect. Returns what its verb does.
local function ask(self, config, own, body, endpoint, dialect, level)
  local call = {
    method = "POST", endpoint = endpoint, value = body, stream = body.stream == true, fault = faults[dialect],
    fields = dialect.headers,
  }
  local answer, err = perform(self, config, own, call, level + 1)
  if not answer then return nil, err end
  if call.streamed then return answers.stream(answer, call, dialect) end
  return answers.completion(answer, call, dialect)
end

-- Asks for a chat completion. `request` has the API's fields (messages, model, temperature, ...) and may have
-- this call's own options (timeout, headers, api_key, ...). Its `response_format` may be a JSON Schema as a Lua table,
-- which reply:parsed() then checks; `reasoning` is "low", "medium", "high" or false. Returns the reply, or nil, err.
-- With stream = true it waits for the answer's head and returns what `for` takes: the stream, nil, nil, the stream.
function Client:chat(request)
  local config = check_client(self, "chat", 2)
  local body, own = prepare(config, request, models.chat)
  if not body then return nil, own end
  local schema, err = structured.ask(body, request, "chat")
  err = err or reasoning.put(body, config.profile and config.profile.reasoning)
  if err then return nil, err end
  return structured.expect(schema, ask(self, config, own, body, "/chat/completions", dialects.chat, 2))
end

-- Asks in the dialect of OpenAI's Responses: `request` has its fields (input, model, instructions, tools, ...), and
-- may have this call's own options. Returns the reply (its text is llm.text(reply), for it has a field `text`), or nil,
-- err; with stream = true what `for` takes, where each step gives a typed event and its name.
function Client:responses(request)
  local config = check_client(self, "responses", 2)
  local body, own = prepare(config, request, models.responses)
  if not body then return nil, own end
  local schema, err = structured.ask(body, request, "responses")
  err = err or reasoning.put(body, "reasoning")
  if err then return nil, err end
  return structured.expect(schema, ask(self, config, own, body, "/responses", dialects.responses, 2))
end

-- The same in the dialect of Anthropic's Messages (messages, max_tokens, system, ...). It sends `anthropic-version`
-- unless a header of that name is given.
function Client:messages(request)
  local config = check_client(self, "messages", 2)
  local body, own = prepare(config, request, models.messages)
  if not body then return nil, own end
  local schema, err = structured.ask(body, request, "messages")
  err = err or reasoning.put(body, "thinking")
  if err then return nil, err end
  return structured.expect(schema, ask(self, config, own, body, "/messages", dialects.messages, 2))
end

-- Asks for a chat completion, runs the tools that the model calls, gives it their results, and asks again, until it
-- calls none. Beside the fields of chat, `request` has
--   tools       a list of {name, description, parameters (a JSON Schema), call = function(arguments, call)}, whose
--               results (text, or what goes into JSON) and errors (raised, or nil, err) the model reads
--   max_rounds  how many replies may call tools (10)
--   timeout     seconds for all of it (no limit); total_timeout is one reply's
--   approve     function(call) asked before each call {id, name, arguments}: it runs only if that returns true
--   api         "chat", "responses" (then `input` has what was said) or "messages"
-- The calls of a round run in tasks of their own, at the same time. Returns the last reply and the list of all
-- messages; or nil, err and the messages so far. reply:info().usage is the sum of all rounds. With stream = true it
-- returns what `for` takes: events {type = "text" | "tool_call" | "tool_result" | "done", ...} (see tool_run.lua).
function Client:run_tools(request)
  local config = check_client(self, "run_tools", 2)
  local tool_runs = require("llm_gateway.helpers.run_tools") -- a plain call needs none of it
  -- no tail call: it would lose the caller's line
  local first, second, third, fourth = tool_runs.run(self, config.loop, request, 2)
  return first, second, third, fourth
end

-- Asks for embeddings of request.input (text or a list). Returns the reply, whose data[i].embedding are lists of
-- numbers, or nil, err.
function Client:embeddings(request)
  local config = check_client(self, "embeddings", 2)
  local body, own = prepare(config, request, models.embeddings)
  if not body then return nil, own end
  local answer, err = perform(self, config, own, { method = "POST", endpoint = "/embeddings", value = body }, 2)
  if not answer then return nil, err end
  return answers.embeddings(answer)
end

-- A request may have these fields, and the options of a call; the error says that, and what else there is to do.
local function check_names(request, own, fields, advice)
  for name in pairs(request) do
    if not fields[name] and (own[name] == nil or name == "extra_body") then
      return fault.new(tostring(name), "is no field of a request" .. advice)
    end
  end
end

-- The options of a call that has nothing else.
local function plain_options(request)
  if request == nil then return {} end
  local own, err = call_options.read(request, 3)
  if not own then return nil, err end
  err = check_names(request, own, {}, " that takes only options")
  if err then return nil, err end
  return own
end

-- The models that the gateway offers: a list of {id = ...}; or nil, err. `request` may have call options.
function Client:models(request)
  local config = check_client(self, "models", 2)
  local own, err = plain_options(request)
  if not own then return nil, err end
  local answer
  answer, err = perform(self, config, own, { method = "GET", endpoint = "/models" }, 2)
  if not answer then return nil, err end
  return answers.models(answer)
end

local function is_plain_text(answer)
  return (answer.headers["content-type"] or ""):lower():find("^text/plain") ~= nil
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

-- How the gateway is: what a 2xx says, and the body of a 503 (reply:info().status tells): a table, {text = ...} of
-- words, {} of nothing; or nil, err. Never retried.
function Client:health(request)
  local config = check_client(self, "health", 2)
  local own, err = plain_options(request)
  if not own then return nil, err end
  own.max_retries = 0
  local answer
  answer, err = perform(self, config, own, health_call(config), 2)
  if not answer then return nil, err end
  return answers.health(answer)
end

local IN_BODY = ": what goes to the gateway belongs in `body`"
local REQUEST_FIELDS = {
  method = true, path = true, body = true, stream = true, multipart = true, into = true, on_progress = true,
}

-- Sends any request to the gateway: method (POST), path (begins with one slash), stream, call options, and
--   body         a table, sent as JSON, or text with a Content-Type header; or
--   multipart    fields by name: text, a number, {path =, filename =, type =} of a file, {data =, ...}, lists of such
--   into         the path of a file that the answer is written into as it comes; it stays only if all of it came
--   on_progress  function({sent =, size =, received =}), called with the bytes of both bodies as they go
-- Returns the decoded body (the text itself when it neither is JSON nor claims to be; {into =, bytes =} of a file), or
-- nil, err; with stream = true what `for` takes, where each step gives a chunk and its event's name.
function Client:request(request)
  local config = check_client(self, "request", 2)
  if type(request) ~= "table" then error("request: expected a table, got " .. type(request), 2) end
  local own, err = call_options.read(request, 2)
  err = err or target.fault(request) or check_names(request, own, REQUEST_FIELDS, IN_BODY)
  if err then return nil, err end
  local call = { method = request.method or "POST", path = request.path, stream = request.stream }
  err = require("llm_gateway.request.payload").put(call, request, config.headers)
  if err then return nil, err end
  local answer
  answer, err = perform(self, config, own, call, 2)
  if not answer then return nil, err end
  if call.into then return answers.file(answer, call.into) end
  if call.streamed then return answers.stream(answer, call, dialects.of_path(call.path)) end
  return answers.value(answer)
end

-- ---------------------------------------------------------------------------------------------------------
-- Life

local function client_of(given, level)
  local config = options.complete(given, level + 1)
  config.loop = loops.record_of(config.loop or loops.default())
  config.secrets, config.lines = secrets.of_client(config), {}
  return core.client({
    core_loop = config.loop.core, base_url = url.without(config.base_url:gsub("%?.*$", "")),
    reveal = function() return config end,
  })
end

-- The same client with other options on top; it shares the connections. Closing one leaves the other open.
function Client:with(more)
  local config = check_client(self, "with", 2)
  -- no tail call: it would lose the caller's line
  local made = client_of(options.combined(config.given, more or {}, 2), 2)
  return made
end

local close = Client.close

-- Closes this client's transfers; their streams and calls give the `cancelled` error. Its loop stays.
function Client:close()
  local config, open = config_of(self)
  if not config then check_client(self, "close", 2) end
  close(self)
  if open then wait.wake_all(config.loop) end
end

-- A new client; every option is optional, an unknown one raises.
local function new(given, ...)
  if select("#", ...) > 0 then error("new: expected one table of options (is it llm.new{...}, with a dot?)", 2) end
  local made = client_of(given or {}, 2)
  return made
end

local metatable = getmetatable(core.client({ core_loop = false }))
metatable.__close = Client.close

function metatable:__tostring()
  local config, open = config_of(self)
  return ("llm_gateway client (%s%s)"):format(config and config.origin or "?", open and "" or ", closed")
end

return { new = new }
