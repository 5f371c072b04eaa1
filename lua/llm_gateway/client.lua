-- client.lua: the verbs of a client: chat, embeddings, models, health, request, with, close.
-- Leans on request.lua for what may be sent, call.lua for sending it, answer.lua for what comes back. The client
-- object itself is the C core's.

local answers = require("llm_gateway.reply.results")
local calls = require("llm_gateway.call")
local core = require("llm_gateway.core")
local dialects = require("llm_gateway.reply.dialects")
local headers = require("llm_gateway.http.fields")
local identity = require("llm_gateway.request.headers")
local loops = require("llm_gateway.loop")
local options = require("llm_gateway.options")
local payload = require("llm_gateway.request.payload")
local reasoning = require("llm_gateway.helpers.reasoning")
local requests = require("llm_gateway.request.models")
local structured = require("llm_gateway.helpers.structured")
local tool_runs = require("llm_gateway.helpers.run_tools")
local wait = require("llm_gateway.loop.wait")

local Client = core.client_methods

local function check_client(self, name, level)
  local config, open = core.config(self)
  if not config then
    local call = (name == "close" or name == "models" or name == "health") and "()" or "{...}"
    error(("%s: expected a client, got %s (is it client:%s%s?)"):format(name, type(self), name, call), level + 1)
  end
  if not open then error(name .. ": the client is closed", level + 1) end
  return config
end

-- ---------------------------------------------------------------------------------------------------------
-- A call

local function effective(config, own)
  return setmetatable(own, { __index = config })
end

-- Makes the call {method, path, value (body) or nil, stream, accepts} with the request's own options. Returns an
-- answer and the call, or nil, err.
local function perform(self, config, own, call, level)
  wait.enter(config.loop, level + 1)
  local key, err = identity.key(config, own)
  err = err or identity.fault(call.value)
  if err then return nil, err end
  if call.value then
    call.body, err = requests.encode(call.value)
    if err then return nil, err end
  end
  call.client, call.loop, call.options = self, config.loop, effective(config, own)
  call.url = config.prefix .. call.path
  call.headers = headers.lines(identity.headers(config, own, key, call), call.fields or {}, config.headers, own.headers)
  call.secrets = identity.secrets(config, own, key, call.path)
  local answer
  answer, err = calls.make(call)
  if not answer then return nil, err end
  return answer, call
end

-- ---------------------------------------------------------------------------------------------------------
-- Verbs

-- A checked model's body with the client's app filled in, and the request's own options; or nil, err.
local function prepare(config, given, build)
  local own, err = requests.options(given, 3)
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
local function ask(self, config, own, body, path, dialect, level)
  local call = {
    method = "POST", path = path, value = body, stream = body.stream == true, fault = faults[dialect],
    fields = dialect.headers,
  }
  local answer, err = perform(self, config, own, call, level + 1)
  if not answer then return nil, err end
  if call.stream then return answers.stream(answer, call, dialect) end
  return answers.completion(answer, call, dialect)
end

-- Asks for a chat completion. `request` has the API's fields (messages, model, temperature, ...) and may have
-- this call's own options (timeout, headers, api_key, ...). Its `response_format` may be a JSON Schema as a Lua table,
-- which reply:parsed() then checks; `reasoning` is "low", "medium", "high" or false. Returns the reply, or nil, err.
-- With stream = true it waits for the answer's head and returns what `for` takes: the stream, nil, nil, the stream.
function Client:chat(request)
  local config = check_client(self, "chat", 2)
  local body, own = prepare(config, request, requests.chat)
  if not body then return nil, own end
  local schema, err = structured.ask(body, request, "chat")
  err = err or reasoning.put(body, config.profile and config.profile.reasoning)
  if err then return nil, err end
  return structured.expect(schema, ask(self, config, own, body, "/v1/chat/completions", dialects.chat, 2))
end

-- Asks in the dialect of OpenAI's Responses: `request` has its fields (input, model, instructions, tools, ...), and
-- may have this call's own options. Returns the reply (its text is llm.text(reply), for it has a field `text`), or nil,
-- err; with stream = true what `for` takes, where each step gives a typed event and its name.
function Client:responses(request)
  local config = check_client(self, "responses", 2)
  local body, own = prepare(config, request, requests.responses)
  if not body then return nil, own end
  local schema, err = structured.ask(body, request, "responses")
  err = err or reasoning.put(body, "reasoning")
  if err then return nil, err end
  return structured.expect(schema, ask(self, config, own, body, "/v1/responses", dialects.responses, 2))
end

-- The same in the dialect of Anthropic's Messages (messages, max_tokens, system, ...). It sends `anthropic-version`
-- unless a header of that name is given.
function Client:messages(request)
  local config = check_client(self, "messages", 2)
  local body, own = prepare(config, request, requests.messages)
  if not body then return nil, own end
  local schema, err = structured.ask(body, request, "messages")
  err = err or reasoning.put(body, "thinking")
  if err then return nil, err end
  return structured.expect(schema, ask(self, config, own, body, "/v1/messages", dialects.messages, 2))
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
  -- no tail call: it would lose the caller's line
  local first, second, third, fourth = tool_runs.run(self, config.loop, request, 2)
  return first, second, third, fourth
end

-- Asks for embeddings of request.input (text or a list). Returns the reply, whose data[i].embedding are lists of
-- numbers, or nil, err.
function Client:embeddings(request)
  local config = check_client(self, "embeddings", 2)
  local body, own = prepare(config, request, requests.embeddings)
  if not body then return nil, own end
  local answer, err = perform(self, config, own, { method = "POST", path = "/v1/embeddings", value = body }, 2)
  if not answer then return nil, err end
  return answers.embeddings(answer)
end

-- A request may have these fields, and the options of a call; the error says that, and what else there is to do.
local function check_names(request, own, fields, advice)
  for name in pairs(request) do
    if not fields[name] and (own[name] == nil or name == "extra_body") then
      return requests.invalid(tostring(name), "is no field of a request" .. advice)
    end
  end
end

-- The options of a call that has nothing else.
local function plain_options(request)
  if request == nil then return {} end
  local own, err = requests.options(request, 3)
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
  answer, err = perform(self, config, own, { method = "GET", path = "/v1/models" }, 2)
  if not answer then return nil, err end
  return answers.models(answer)
end

-- A server that says in JSON that it is not well has still answered.
local function accepts_health(answer)
  return answer.status == 503 and type(answer.value) == "table"
end

-- How the gateway is: the decoded body, of a 503 too (reply:info().status tells); or nil, err. Never retried.
function Client:health(request)
  local config = check_client(self, "health", 2)
  local own, err = plain_options(request)
  if not own then return nil, err end
  own.max_retries = 0
  local answer
  answer, err = perform(self, config, own, { method = "GET", path = "/health", accepts = accepts_health }, 2)
  if not answer then return nil, err end
  return answers.reply(answer)
end

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }
local IN_BODY = ": what goes to the gateway belongs in `body`"
local REQUEST_FIELDS = {
  method = true, path = true, body = true, stream = true, multipart = true, into = true, on_progress = true,
}

local function check_request(request)
  local method = request.method or "POST"
  if not METHODS[method] then
    return requests.invalid("method", ("expected GET, POST, ..., got %q"):format(tostring(method)))
  end
  local path = request.path
  if type(path) ~= "string" then return requests.invalid("path", "expected text, got " .. type(path)) end
  if not path:find("^/[^/\\]") and path ~= "/" then return requests.invalid("path", "has to begin with one slash") end
  if path:find("[%s%c#]") then return requests.invalid("path", "may not contain blanks, control characters or #") end
  if request.stream ~= nil and type(request.stream) ~= "boolean" then
    return requests.invalid("stream", "expected true or false, got " .. type(request.stream))
  end
end

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
  local own, err = requests.options(request, 2)
  err = err or check_request(request) or check_names(request, own, REQUEST_FIELDS, IN_BODY)
  if err then return nil, err end
  local call = { method = request.method or "POST", path = request.path, stream = request.stream }
  err = payload.put(call, request, config.headers)
  if err then return nil, err end
  local answer
  answer, err = perform(self, config, own, call, 2)
  if not answer then return nil, err end
  if call.into then return answers.file(answer, call.into) end
  if call.stream then return answers.stream(answer, call, dialects.of_path(call.path)) end
  return answers.value(answer)
end

-- ---------------------------------------------------------------------------------------------------------
-- Life

local function client_of(given, level)
  local config = options.complete(given, level + 1)
  config.loop = loops.record_of(config.loop or loops.default())
  config.core_loop = config.loop.core
  return core.client(config)
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
  local config, open = core.config(self)
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
  local config, open = core.config(self)
  return ("llm_gateway client (%s%s)"):format(config.origin, open and "" or ", closed")
end

return { new = new, VERSION = identity.VERSION }
