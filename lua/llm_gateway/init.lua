-- init.lua: the public table of llm_gateway; no logic of its own.
--
--   local llm = require "llm_gateway"
--   local client = llm.new{ base_url = "http://localhost:8000", api_key = "gw_..." }
--   local reply = assert(client:chat{ messages = { { role = "user", content = "Hello!" } } })
--   print(reply:text())

local client = require("llm_gateway.client")
local core = require("llm_gateway.core")
local lazy = require("llm_gateway.lazy")
local loops = require("llm_gateway.loop")
local version = require("llm_gateway.version")

local conversations = lazy("llm_gateway.helpers.conversation")
local errors = lazy("llm_gateway.errors.object")
local json = lazy("llm_gateway.json")
local models = lazy("llm_gateway.request.models")
local replies = lazy("llm_gateway.reply")

-- What a function returned, as it stands; a tail call would lose the caller's line.
local function returned(...) return ... end

-- A function of a reply, which may be called as its method too.
local function of_reply(name)
  return function(reply) return returned(replies.read(name, reply, 2)) end
end

-- Whether a value is one of this library's error tables.
local function is_error(value) return errors.is(value) end

-- Marks a table (a new one by default) as a list, so that it is sent as `[]` even when empty. Returns it.
local function array(t)
  if t ~= nil and type(t) ~= "table" then error("array: expected a list, got " .. type(t), 2) end
  return json.array(t)
end

-- The JSON of a value; or nil, what was wrong, and the path of where.
local function encode(value) return json.encode(value) end

-- assert for every Lua.
local function assert_true(value, ...)
  if value then return value, ... end
  return errors.assert(value, ...)
end

-- A method of the default loop, as a function.
local function of_default_loop(name)
  return function(...)
    local loop = loops.default()
    return loop[name](loop, ...)
  end
end

-- A model of the API, as a function that checks a value.
local function model(name)
  return function(value)
    local checked, err = models[name](value, 2)
    return checked, err
  end
end

local function conversation(...)
  local talk, err = conversations.begin(2, ...) -- no tail call: it would lose the caller's line
  return talk, err
end

return {
  _VERSION = "llm_gateway " .. version,

  new = client.new, -- a client
  conversation = conversation, -- a chat that remembers
  is_error = is_error, assert = assert_true,
  text = of_reply("text"), info = of_reply("info"), parsed = of_reply("parsed"), -- reply:text() and the like
  reasoning = of_reply("reasoning"), raw = of_reply("raw"),

  array = array, null = core.null, -- an empty list; an explicit null
  json = { encode = encode, decode = core.json_decode },

  ChatMessage = model("ChatMessage"), -- each builds and checks a value
  ChatCompletionRequest = model("ChatCompletionRequest"),
  EmbeddingRequest = model("EmbeddingRequest"),

  loop = loops.default, new_loop = loops.new, -- the default loop; another one
  fd = of_default_loop("fd"), step = of_default_loop("step"), pending = of_default_loop("pending"),
  run = of_default_loop("run"), spawn = of_default_loop("spawn"), map = of_default_loop("map"),
  sleep = of_default_loop("sleep"), close = of_default_loop("close"),
}
