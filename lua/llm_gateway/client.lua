-- client.lua: a client and its verbs: chat, embeddings, models, health, request, with, close.
-- Leans on client/asking.lua for the verbs that ask a model, on client/verbs.lua for the others. The client object
-- itself is the C core's; what it was made of stays in here.

local core = require("llm_gateway.core")
local lazy = require("llm_gateway.lazy")
local loops = require("llm_gateway.loop")
local options = require("llm_gateway.options")
local url = require("llm_gateway.http.url")

local asking = lazy("llm_gateway.client.asking")
local tool_runs = lazy("llm_gateway.helpers.run_tools")
local verbs = lazy("llm_gateway.client.verbs")
local wait = lazy("llm_gateway.loop.wait")

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
-- Verbs

-- Asks for a chat completion. `request` has the API's fields (messages, model, temperature, ...) and may have
-- this call's own options (timeout, headers, api_key, ...). Its `response_format` may be a JSON Schema as a Lua table,
-- which reply:parsed() then checks; `reasoning` is "low", "medium", "high" or false. Returns the reply, or nil, err.
-- With stream = true it waits for the answer's head and returns what `for` takes: the stream, nil, nil, the stream.
function Client:chat(request)
  local config = check_client(self, "chat", 2)
  -- no tail call, here and below: it would lose the caller's line
  local way = config.profile and config.profile.reasoning
  local answer, second, third, fourth = asking.ask(self, config, request, asking.chat, way, 2)
  return answer, second, third, fourth
end

-- Asks in the dialect of OpenAI's Responses: `request` has its fields (input, model, instructions, tools, ...), and
-- may have this call's own options. Returns the reply (its text is llm.text(reply), for it has a field `text`), or nil,
-- err; with stream = true what `for` takes, where each step gives a typed event and its name.
function Client:responses(request)
  local config = check_client(self, "responses", 2)
  local answer, second, third, fourth = asking.ask(self, config, request, asking.responses, "reasoning", 2)
  return answer, second, third, fourth
end

-- The same in the dialect of Anthropic's Messages (messages, max_tokens, system, ...). It sends `anthropic-version`
-- unless a header of that name is given.
function Client:messages(request)
  local config = check_client(self, "messages", 2)
  local answer, second, third, fourth = asking.ask(self, config, request, asking.messages, "thinking", 2)
  return answer, second, third, fourth
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
  local first, second, third, fourth = tool_runs.run(self, config.loop, request, 2)
  return first, second, third, fourth
end

-- Asks for embeddings of request.input (text or a list). Returns the reply, whose data[i].embedding are lists of
-- numbers, or nil, err.
function Client:embeddings(request)
  local config = check_client(self, "embeddings", 2)
  local answer, second = verbs.embeddings(self, config, request, 2)
  return answer, second
end

-- The models that the gateway offers: a list of {id = ...}; or nil, err. `request` may have call options.
function Client:models(request)
  local config = check_client(self, "models", 2)
  local answer, second = verbs.models(self, config, request, 2)
  return answer, second
end

-- How the gateway is: what a 2xx says, and the body of a 503 (reply:info().status tells): a table, {text = ...} of
-- words, {} of nothing; or nil, err. Never retried.
function Client:health(request)
  local config = check_client(self, "health", 2)
  local answer, second = verbs.health(self, config, request, 2)
  return answer, second
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
  local answer, second, third, fourth = verbs.request(self, config, request, 2)
  return answer, second, third, fourth
end

-- ---------------------------------------------------------------------------------------------------------
-- Life

local function client_of(given, level)
  local config = options.complete(given, level + 1)
  config.loop = loops.record_of(config.loop or loops.default())
  config.lines = {}
  local shown = {
    base_url = url.without(config.base_url:gsub("%?.*$", "")), reveal = function() return config end,
  }
  return core.client(config.loop.core, shown, config)
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

local metatable = getmetatable(core.client(false, {}, {}))
metatable.__close = Client.close

function metatable:__tostring()
  local config, open = config_of(self)
  return ("llm_gateway client (%s%s)"):format(config and config.origin or "?", open and "" or ", closed")
end

return { new = new }
