-- client.lua: the verbs of a client: chat, embeddings, models, health, request, with, close.
-- Leans on request.lua for what may be sent, call.lua for sending it, stream.lua and reply.lua for what comes
-- back. The client object itself is the C core's.

local calls = require("llm_gateway.call")
local chunks = require("llm_gateway.chunks")
local core = require("llm_gateway.core")
local errors = require("llm_gateway.errors")
local headers = require("llm_gateway.headers")
local identity = require("llm_gateway.identity")
local json = require("llm_gateway.json")
local loops = require("llm_gateway.loop")
local options = require("llm_gateway.options")
local replies = require("llm_gateway.reply")
local requests = require("llm_gateway.request")
local streams = require("llm_gateway.stream")

local Client = core.client_methods

local default_loop

-- This Lua state's default loop; a new one once that is closed.
local function loop()
  if not default_loop or default_loop.closed then default_loop = loops.new() end
  return default_loop
end

local function check_client(self, name, level)
  local config, open = core.config(self)
  if not config then
    error(("%s: expected a client, got %s (is it client:%s{...}?)"):format(name, type(self), name), level + 1)
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
  config.loop:enter(level + 1)
  local key, err = identity.key(config, own)
  if err then return nil, err end
  if call.value then
    call.body, err = requests.encode(call.value)
    if err then return nil, err end
  end
  call.client, call.loop, call.options = self, config.loop, effective(config, own)
  call.url = config.prefix .. call.path
  call.headers = headers.lines(identity.headers(config, own, key, call), config.headers, own.headers)
  call.secrets = identity.secrets(config, own, key)
  local answer
  answer, err = calls.make(call)
  if not answer then return nil, err end
  return answer, call
end

local function reply_of(answer)
  if type(answer.value) ~= "table" then return nil, errors.of_answer(answer) end
  return replies.new(answer.value, calls.info(answer))
end

local function stream_of_transfer(answer, call, plain)
  local about = calls.info(answer)
  about.secrets = answer.secrets
  local function describe(facts) return calls.describe(call, facts) end
  return streams.iterator(streams.of_transfer(call.loop, answer.transfer, about, describe, plain))
end

local function message_as_delta(choice, position)
  if type(choice) ~= "table" then return choice end
  local copy = {}
  for name, value in pairs(choice) do copy[name] = value end
  copy.index, copy.delta, copy.message = copy.index or position - 1, copy.message or copy.delta or {}, nil
  return copy
end

-- A gateway that did not stream although asked to: a whole completion, or a dry run, becomes one chunk.
local function stream_of_body(answer)
  local value = answer.value
  if type(value) ~= "table" then return nil, errors.of_answer(answer) end
  if type(value.choices) == "table" and value.choices[1] then
    for position, choice in ipairs(value.choices) do value.choices[position] = message_as_delta(choice, position) end
    value = chunks.chat():read(value)
  elseif value.dry_run ~= true then
    return nil, errors.of_answer(answer)
  end
  return streams.iterator(streams.of_list({ value }, calls.info(answer), answer.timings))
end

local function stream_of(answer, call, plain)
  if answer.transfer then return stream_of_transfer(answer, call, plain) end
  answer.in_stream = true
  return stream_of_body(answer)
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

-- Asks for a chat completion. `request` has the API's fields (messages, model, temperature, ...) and may have
-- this call's own options (timeout, headers, api_key, ...). Returns the reply, or nil, err. With stream = true it
-- waits for the answer's head and returns what `for` takes: the stream, nil, nil, the stream.
function Client:chat(request)
  local config = check_client(self, "chat", 2)
  local body, own = prepare(config, request, requests.chat)
  if not body then return nil, own end
  local call = { method = "POST", path = "/v1/chat/completions", value = body, stream = body.stream == true }
  local answer, err = perform(self, config, own, call, 2)
  if not answer then return nil, err end
  if call.stream then return stream_of(answer, call, false) end
  return reply_of(answer)
end

-- An embedding asked for as base64 comes as text; it is handed over as numbers all the same.
local function decode_embeddings(reply)
  for _, item in ipairs(type(reply.data) == "table" and reply.data or {}) do
    if type(item) == "table" and type(item.embedding) == "string" then
      item.embedding = core.floats(item.embedding) or item.embedding
    end
  end
  return reply
end

-- Asks for embeddings of request.input (text or a list). Returns the reply, whose data[i].embedding are lists of
-- numbers, or nil, err.
function Client:embeddings(request)
  local config = check_client(self, "embeddings", 2)
  local body, own = prepare(config, request, requests.embeddings)
  if not body then return nil, own end
  local answer, err = perform(self, config, own, { method = "POST", path = "/v1/embeddings", value = body }, 2)
  if not answer then return nil, err end
  local reply
  reply, err = reply_of(answer)
  return reply and decode_embeddings(reply), err
end

local function plain_options(request)
  if request == nil then return {} end
  local own, err = requests.options(request, 3)
  return own, err
end

-- The list of models in an answer's body; nil when it has none.
local function model_list(value)
  if type(value) ~= "table" then return nil end
  local list = value.data or value.models or (value[1] ~= nil or json.is_array(value)) and value
  if type(list) ~= "table" then return nil end
  for i, model in ipairs(list) do
    if type(model) == "string" then list[i] = { id = model } end
  end
  return list
end

-- The models that the gateway offers: a list of {id = ...}; or nil, err. `request` may have call options.
function Client:models(request)
  local config = check_client(self, "models", 2)
  local own, err = plain_options(request)
  if not own then return nil, err end
  local answer
  answer, err = perform(self, config, own, { method = "GET", path = "/v1/models" }, 2)
  if not answer then return nil, err end
  local list = model_list(answer.value)
  if not list then return nil, errors.of_answer(answer) end
  return replies.new(list, calls.info(answer))
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
  return reply_of(answer)
end

local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }
local REQUEST_FIELDS = { method = true, path = true, body = true, stream = true }

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

local function check_request_names(request, own)
  for name in pairs(request) do
    if not REQUEST_FIELDS[name] and own[name] == nil then
      return requests.invalid(tostring(name), "is no field of a request: what goes to the gateway belongs in `body`")
    end
  end
end

-- Whether a text that is no JSON was announced as JSON (RFC 6839, 3.1): then it is broken.
local function is_broken_json(answer)
  if answer.value ~= nil or answer.text == "" then return false end
  local type = (answer.headers["content-type"] or ""):lower():match("^[^;%s]*")
  return type:find("^application/.*json$") ~= nil
end

local function value_of(answer)
  if type(answer.value) == "table" then return replies.new(answer.value, calls.info(answer)) end
  if is_broken_json(answer) then return nil, errors.of_answer(answer) end
  return answer.value == nil and answer.text or answer.value
end

-- Sends any request to the gateway: method (POST), path (begins with one slash), body (a table, sent as JSON),
-- stream, and call options. Returns the decoded body (the text itself when it neither is JSON nor claims to be), or
-- nil, err; with stream = true what `for` takes, where each step gives a chunk and its event's name.
function Client:request(request)
  local config = check_client(self, "request", 2)
  if type(request) ~= "table" then error("request: expected a table, got " .. type(request), 2) end
  local own, err = requests.options(request, 2)
  err = err or check_request(request) or check_request_names(request, own)
  if err then return nil, err end
  local call = { method = request.method or "POST", path = request.path, value = request.body, stream = request.stream }
  local answer
  answer, err = perform(self, config, own, call, 2)
  if not answer then return nil, err end
  if call.stream then return stream_of(answer, call, not call.path:find("/chat/completions$")) end
  return value_of(answer)
end

-- ---------------------------------------------------------------------------------------------------------
-- Life

local function client_of(given, level)
  local config = options.complete(given, level + 1)
  config.loop = config.loop or loop()
  config.core_loop = config.loop.core
  return core.client(config)
end

-- The same client with other options on top; it shares the connections. Closing one leaves the other open.
function Client:with(more)
  local config = check_client(self, "with", 2)
  local made = client_of(options.combined(config.given, more, 2), 2) -- no tail call: it would lose the caller's line
  return made
end

local close = Client.close

-- Closes this client's transfers; their streams and calls give the `cancelled` error. Its loop stays.
function Client:close()
  if not core.config(self) then check_client(self, "close", 2) end
  close(self)
end

-- A new client; every option is optional, an unknown one raises.
local function new(given)
  local made = client_of(given or {}, 2)
  return made
end

local metatable = getmetatable(core.client({ core_loop = false }))

function metatable:__tostring()
  local config, open = core.config(self)
  return ("llm_gateway client (%s%s)"):format(config.origin, open and "" or ", closed")
end

return { new = new, loop = loop, VERSION = identity.VERSION }
