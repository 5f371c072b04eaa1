-- init.lua: the public table of llm_gateway; no logic of its own.
--
--   local llm = require "llm_gateway"
--   local client = llm.new{ base_url = "http://localhost:8000", api_key = "gw_..." }
--   local reply = assert(client:chat{ messages = { { role = "user", content = "Hello!" } } })
--   print(reply:text())

local client = require("llm_gateway.client")
local errors = require("llm_gateway.errors.object")
local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")
local loops = require("llm_gateway.loop")
local replies = require("llm_gateway.reply")
local version = require("llm_gateway.version")

local conversations = lazy("llm_gateway.helpers.conversation")
local models = lazy("llm_gateway.request.models")

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
  is_error = errors.is, -- whether a value is one of this library's error tables
  assert = errors.assert, -- assert for every Lua
  text = replies.text, info = replies.info, parsed = replies.parsed, -- reply:text() and the like by another way
  reasoning = replies.reasoning, raw = replies.raw,

  array = json.array, null = json.null, -- an empty list; an explicit null
  json = { encode = json.encode, decode = json.decode },

  ChatMessage = model("ChatMessage"), -- each builds and checks a value
  ChatCompletionRequest = model("ChatCompletionRequest"),
  EmbeddingRequest = model("EmbeddingRequest"),

  loop = loops.default, new_loop = loops.new, -- the default loop; another one
  fd = of_default_loop("fd"), step = of_default_loop("step"), pending = of_default_loop("pending"),
  run = of_default_loop("run"), spawn = of_default_loop("spawn"), map = of_default_loop("map"),
  sleep = of_default_loop("sleep"), close = of_default_loop("close"),
}
