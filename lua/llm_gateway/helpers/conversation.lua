-- helpers/conversation.lua: llm.conversation(): a chat that remembers what was said.
-- Leans on a client's chat and run_tools, and on history.lua for the list of messages. The list changes only when a
-- turn has ended well: one that failed, broke off or was not read to its end leaves it as it was.

local call_options = require("llm_gateway.request.call_options")
local checks = require("llm_gateway.schema")
local core = require("llm_gateway.core")
local dialects = require("llm_gateway.helpers.tool_dialects")
local history = require("llm_gateway.helpers.history")
local json = require("llm_gateway.json")
local near_miss = require("llm_gateway.request.near_miss")

local Talk = {}
Talk.__index = Talk

local inner = setmetatable({}, { __mode = "k" }) -- by talk: its client, api, fields of each request, max_messages

local function check_talk(self, name)
  local own = inner[self]
  if own then return own end
  error(("%s: expected a conversation, got %s (is it talk:%s()?)"):format(name, type(self), name), 3)
end

-- ---------------------------------------------------------------------------------------------------------
-- A turn

local function is_of_ours(tool)
  return type(tool) == "table" and tool.call ~= nil
end

-- Tools with a function are run; others are the program's to answer, by say.
local function verb_of(own, request)
  for _, tool in ipairs(type(request.tools) == "table" and request.tools or {}) do
    if is_of_ours(tool) then return "run_tools" end
  end
  return own.api
end

local function request_of(own, messages, given)
  local request = {}
  for name, value in pairs(own.fields) do request[name] = value end
  for name, value in pairs(given) do request[name] = value end
  request[dialects[own.api].list] = messages
  if own.api == "messages" then request.system = history.take_system(messages) or request.system end
  request.api = verb_of(own, request) == "run_tools" and own.api or nil
  return request
end

-- The list grows by what was said and answered. It is the one that the user may hold; where several turns were under
-- way, they follow each other as they ended.
local function remember(self, own, said, answered)
  local list = self.messages
  for _, message in ipairs(said) do list[#list + 1] = message end
  for _, message in ipairs(answered) do list[#list + 1] = history.copy(message) end
  if own.max_messages then history.shorten(list, own.max_messages, #list) end
end

-- A dry run has no message: nothing was said.
local function remember_reply(self, own, turn, reply)
  local answered = dialects[own.api].read(reply, 0).messages
  if answered[1] then remember(self, own, turn.said, answered) end
end

local function remember_run(self, own, turn, messages)
  local answered = {}
  for i = #turn.sent + 1, #messages do answered[#answered + 1] = messages[i] end
  remember(self, own, turn.said, answered)
end

-- What reads a stream goes through its `next`: texts, collect and `for` too.
local function watch(stream, on_item)
  local next_item = stream.next
  function stream.next(...)
    local item, err, third = next_item(...)
    on_item(item, err)
    return item, err, third
  end
end

-- Every chunk has to be seen: none may pass as one that is like the last but for its text (see chunk_reader.lua).
local function follow_stream(self, own, turn, stream)
  stream.reader.looks = false
  local whole = stream.dialect.collector()
  watch(stream, function(chunk, second)
    if chunk then
      whole:add(history.copy(chunk), second)
    elseif not second and not turn.is_over then
      turn.is_over = true
      remember_reply(self, own, turn, whole:value())
    end
  end)
end

local function follow_run(self, own, turn, run)
  watch(run, function(event)
    if event and event.type == "done" then remember_run(self, own, turn, event.messages) end
  end)
end

local function take_turn(self, own, turn, request)
  local verb = verb_of(own, request)
  local answer, second, third, fourth = own.client[verb](own.client, request)
  if not answer then return nil, second end
  if request.stream then
    local follow = verb == "run_tools" and follow_run or follow_stream
    follow(self, own, turn, answer)
    return answer, second, third, fourth
  end
  if verb == "run_tools" then remember_run(self, own, turn, second) else remember_reply(self, own, turn, answer) end
  return answer
end

-- ---------------------------------------------------------------------------------------------------------
-- What a user holds

-- Says something: text, the parts of a content, a message, or a list of messages (results of tools). `options` are
-- fields of this one request (stream = true, temperature, ...). Returns the reply, or nil, err; with stream = true
-- what chat returns then, which has to be read to its end (by anything but events). Tools that have a function `call`
-- are run (see run_tools).
function Talk:say(what, options)
  local own = check_talk(self, "say")
  if type(what) ~= "string" and type(what) ~= "table" then
    error("say: expected text or a message, got " .. checks.shown(what), 2)
  end
  if options ~= nil and type(options) ~= "table" then
    error("say: expected a table of options, got " .. checks.shown(options), 2)
  end
  if not select(2, core.config(own.client)) then error("say: the client is closed", 2) end
  if options then call_options.read(options, 2) end -- for what it raises
  local said, messages = history.said(what), history.copy(self.messages)
  for _, message in ipairs(said) do table.insert(messages, message) end
  if own.max_messages then history.shorten(messages, own.max_messages, #messages - #said + 1) end
  local turn = { said = said, sent = messages }
  local answer, second, third, fourth = take_turn(self, own, turn, request_of(own, messages, options or {}))
  return answer, second, third, fourth
end

local new

-- Another conversation that begins with what was said in this one.
function Talk:fork()
  local own = check_talk(self, "fork")
  return new(own, history.copy(self.messages))
end

-- The messages as JSON text: what `messages =` of another conversation takes. Or nil, and what of them is no JSON.
function Talk:json()
  check_talk(self, "json")
  return json.encode(self.messages)
end

function Talk:__tostring()
  return ("llm_gateway conversation (%d messages)"):format(#self.messages)
end

-- ---------------------------------------------------------------------------------------------------------
-- Beginnings

function new(own, messages)
  local self = setmetatable({ messages = json.array(messages) }, Talk)
  inner[self] = own
  return self
end

local OWN = { system = true, max_messages = true, messages = true, api = true }

-- A slip of the pen in a name of a conversation's own; what chat knows is seen there.
local function check_names(options, level)
  for name in pairs(options) do
    local meant = not OWN[name] and near_miss.of(name, OWN, {})
    if meant then error(("conversation: %s: %s"):format(name, near_miss.words(meant)), level + 1) end
  end
end

local function check_options(client, options, level)
  if not core.config(client) then
    error("conversation: expected a client, got " .. checks.shown(client), level + 1)
  end
  if type(options) ~= "table" then
    error("conversation: expected a table of options, got " .. checks.shown(options), level + 1)
  end
  check_names(options, level + 1)
  local most, system = options.max_messages, options.system
  if most ~= nil and most ~= false and (type(most) ~= "number" or most < 1 or most % 1 ~= 0) then
    error("conversation: max_messages: expected a whole number from 1 up, got " .. checks.shown(most), level + 1)
  end
  if system ~= nil and type(system) ~= "string" then
    error("conversation: system: expected text, got " .. checks.shown(system), level + 1)
  end
  if options.api ~= nil and not dialects[options.api] then
    error('conversation: api: expected "chat", "responses" or "messages", got ' .. checks.shown(options.api), level + 1)
  end
end

-- Begins a conversation of `client`. Options:
--   system        text of the system's message
--   max_messages  how many messages are kept, the system's included: the oldest are dropped, but never a call of
--                 tools without its results, nor a question without its answers
--   messages      what was said before: a list, or the JSON text of one
--   api           "chat", or the verb that asks in its place: "responses", "messages"
--   and any field of chat (model, temperature, tools, stream, ...), which goes with each turn.
-- Returns the conversation, whose `messages` is the list so far; or nil, err when `messages` is no good (a file that
-- was cut short). Raises over other options that are wrong,
-- at `level` above the caller.
local function begin(level, client, options)
  options = options == nil and {} or options
  check_options(client, options, level + 1)
  local api = options.api or "chat"
  local messages, err = history.read(options.messages == nil and {} or options.messages, api)
  if not messages then return nil, err end
  if options.system then history.set_system(messages, options.system) end
  local fields = {}
  for name, value in pairs(options) do
    if not OWN[name] then fields[name] = value end
  end
  call_options.read(fields, level + 1)
  local most = options.max_messages or nil
  if most then history.shorten(messages, most, #messages) end
  return new({ client = client, api = api, fields = fields, max_messages = most }, messages)
end

return { begin = begin }
