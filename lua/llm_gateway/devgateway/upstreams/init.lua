-- devgateway/upstreams/init.lua: the development gateway as a provider: below /~upstream/PROTOCOL/ it answers in that
-- provider's own protocol, so that a real gateway can stand before it.
-- Leans on completion and vectors for the answers, and on one file a protocol beside this one for their form.
-- Asks for no key. Never refuses or breaks off unasked.
--
-- The question's first line may say what shall go wrong:
--   Refuse: NAME   the answer is the protocol's refusal of that name
--   Break: NAME    a stream stops after some pieces, and what the protocol has of that name follows (of "cut", nothing)
--   End: REASON    the answer ends early, for that reason
--
-- A protocol is a table:
--   chat, embed    patterns of paths; a capture is given to the functions below
--   read           function(body, capture): the request in the form of a chat completion's
--   whole          function(done, request): the answer's value; done is a completion
--   stream         function(done, request): a list of the stream's texts
--   stream_type    the stream's content type
--   embedding      function(vectors, body, tokens): the answer's value;  texts: function(body): what shall be embedded
--   refusals       {[name] = {status =, body =, headers =}}
--   breaks         {[name] = text}

local completion = require("llm_gateway.devgateway.completion")
local json = require("llm_gateway.devgateway.json")
local vectors = require("llm_gateway.devgateway.vectors")
local words = require("llm_gateway.devgateway.words")

local PROTOCOLS = {
  anthropic = require("llm_gateway.devgateway.upstreams.anthropic"),
  bedrock = require("llm_gateway.devgateway.upstreams.bedrock"),
  lmstudio = require("llm_gateway.devgateway.upstreams.lmstudio"),
  ollama = require("llm_gateway.devgateway.upstreams.ollama"),
  openai = require("llm_gateway.devgateway.upstreams.openai"),
}

local PIECES_BEFORE_BREAK = 5

local function wish_of(request)
  local question = words.last(request.messages, "user") or ""
  return question:match("^(%u%l+): ([%w_-]+)")
end

local function refuse(exchange, refusal)
  exchange:reply(refusal.status, refusal.body, refusal.headers)
end

-- Breaks off what would follow the first pieces.
local function broken(pieces, last)
  local kept = {}
  for i = 1, math.min(PIECES_BEFORE_BREAK, #pieces) do kept[i] = pieces[i] end
  table.insert(kept, last)
  return kept
end

local function send(exchange, pieces, content_type, delay)
  if not exchange:open_events(content_type) then return end
  for _, piece in ipairs(pieces) do
    if not exchange:wait(delay) or not exchange:send_bytes(piece) then return end
  end
  exchange:end_events()
end

local function end_early(done, reason)
  local choice = done.choices[1]
  if choice.pieces then choice.pieces = { choice.pieces[1], choice.pieces[2] } end
  choice.finish_reason = reason
end

local function answer(state, exchange, protocol, request)
  local kind, name = wish_of(request)
  local refusal = kind == "Refuse" and protocol.refusals[name]
  if refusal then return refuse(exchange, refusal) end
  local done = completion.new(request, state.new_id)
  if kind == "End" then end_early(done, name) end
  if not request.stream then return exchange:reply(200, protocol.whole(done, request)) end
  local pieces = protocol.stream(done, request)
  if kind == "Break" then pieces = broken(pieces, protocol.breaks[name]) end
  send(exchange, pieces, protocol.stream_type, state.delay)
end

local function embed(state, exchange, protocol, body)
  local texts, list = protocol.texts(body), {}
  for i, text in ipairs(texts) do list[i] = vectors.embed(text, body.dimensions or state.dimensions) end
  exchange:reply(200, protocol.embedding(list, body, words.count(table.concat(texts, "\n"))))
end

local M = {}

-- Answers a request as that provider would.
function M.serve(state, exchange, name)
  local protocol, body = PROTOCOLS[name], json.decode(exchange.body)
  if not protocol or type(body) ~= "table" then
    return exchange:reply(404, { error = "no such upstream, or no JSON object" })
  end
  local place = exchange.path:match(protocol.chat)
  if place then return answer(state, exchange, protocol, protocol.read(body, place)) end
  if exchange.path:match(protocol.embed) then return embed(state, exchange, protocol, body) end
  exchange:reply(404, { error = exchange.path .. " not found" })
end

return M
