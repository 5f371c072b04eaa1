-- devgateway/routes.lua: the endpoints that the development gateway speaks: chat, embeddings, models, health.
-- Leans on checks, guard, completion, vectors and exchange. Every answer is made from the request;
-- never from a fixture (lab does that).

local json = require("llm_gateway.devgateway.json")
local audio = require("llm_gateway.devgateway.audio")
local checks = require("llm_gateway.devgateway.checks")
local completion = require("llm_gateway.devgateway.completion")
local dialects = require("llm_gateway.devgateway.dialects")
local vectors = require("llm_gateway.devgateway.vectors")
local words = require("llm_gateway.devgateway.words")

local NOT_FOUND = { kind = "route", status = 404, code = "NOT_FOUND", message = "Not Found" }
local WRONG_METHOD = { kind = "route", status = 405, code = "METHOD_NOT_ALLOWED",
  message = "Method Not Allowed" }
local NO_JSON = { kind = "validation", status = 400, code = "INVALID_JSON", location = { "body" },
  type = "json_invalid", message = "The body is no JSON object" }

local function unknown_model(id)
  return { kind = "model", status = 404, code = "not_found",
    message = "Model '" .. tostring(id) .. "' not found" }
end

local function read_body(exchange, check)
  local body = json.decode(exchange.body)
  if type(body) ~= "table" or body[1] ~= nil then return nil, NO_JSON end
  return body, check(body)
end

local function who(exchange, body)
  local app_id = exchange:header("x-app-id") or body.app_id
  local org_id = exchange:header("x-org-id") or exchange:header("x-organization-id") or body.org_id
  return app_id ~= nil and tostring(app_id) or nil, org_id ~= nil and tostring(org_id) or nil
end

local function is_dry_run(exchange, body)
  return body.dry_run == true or (exchange:header("x-dry-run") or ""):lower() == "true"
end

local function show_limit(exchange, limit)
  if not limit then return end
  exchange.extra_headers["x-ratelimit-limit"] = ("%d"):format(limit.limit)
  exchange.extra_headers["x-ratelimit-remaining"] = ("%d"):format(limit.remaining)
  exchange.extra_headers["x-ratelimit-reset"] = ("%d"):format(limit.reset)
end

local function dry_run(exchange, ask, refusal)
  exchange:reply(200, { dry_run = true, would_be_allowed = refusal == nil, estimated_cost_usd = ask.cost,
    model = ask.model.id, reason = refusal and refusal.message, policy_name = refusal and refusal.policy_name,
    request_id = exchange.request_id })
end

-- Everything that can refuse a request before it is answered. Returns what it asks for, or nil and a
-- refusal; or nothing when it was a dry run, which is answered here.
local function admit(state, exchange, body, text)
  local app_id, org_id = who(exchange, body)
  local refusal = state.guard:identify(app_id, org_id)
  if refusal then return nil, refusal end
  local model = state.catalog:find(body.model)
  if not model then return nil, unknown_model(body.model) end
  local tokens = words.count(text)
  local ask = { app_id = app_id, model = model, text = text, cost = state.catalog.cost(model, tokens, 0) }
  if is_dry_run(exchange, body) then
    dry_run(exchange, ask, state.guard:permit(ask))
    return nil
  end
  local limited, limit = state.guard:count(app_id)
  show_limit(exchange, limit)
  refusal = limited or state.guard:permit(ask)
  if refusal then return nil, refusal end
  return ask
end

local function own_fields(exchange, ask, cost)
  return { app_id = ask.app_id, provider = ask.model.owned_by, policies_evaluated = true, cost_usd = cost,
    dialect = exchange.dialect }
end

local function milliseconds(exchange, state)
  return math.floor((state.clock() - exchange.started) * 1e6 + 0.5) / 1000
end

local function answer_whole(state, exchange, ask, done)
  local reply = done:reply()
  local cost = state.catalog.cost(ask.model, done.usage.prompt_tokens, done.usage.completion_tokens)
  state.guard:spend(ask.app_id, cost)
  reply.request_id, reply.cost = exchange.request_id, cost
  reply.latency_ms, reply.gateway_metadata = milliseconds(exchange, state), own_fields(exchange, ask, cost)
  exchange:reply(200, reply)
end

-- Sends the words, each after its delay. Returns how many tokens went out, and whether all did.
local function send_chunks(exchange, done, delay)
  local sent = 0
  for chunk, tokens in done:chunks() do
    if tokens > 0 and not exchange:wait(delay) then return sent, false end
    if not exchange:send(json.encode(chunk)) then return sent, false end
    sent = sent + tokens
  end
  return sent, true
end

local function answer_stream(state, exchange, ask, body, done)
  local delay = tonumber(exchange:header("x-dev-delay")) or state.delay
  local whole = exchange:open_events()
  local sent = 0
  if whole then sent, whole = send_chunks(exchange, done, delay) end
  -- What was generated before the client left is billed, the rest never existed.
  local completed = whole and done.usage.completion_tokens or sent
  state.guard:spend(ask.app_id, state.catalog.cost(ask.model, done.usage.prompt_tokens, completed))
  if not whole then return end
  if type(body.stream_options) == "table" and body.stream_options.include_usage then
    exchange:send(json.encode(done:usage_chunk()))
  end
  exchange:close_events()
end

local function chat(state, exchange)
  local body, refusal = read_body(exchange, checks.chat)
  if refusal then return exchange:refuse(refusal) end
  local ask, denial = admit(state, exchange, body, words.of_messages(body.messages))
  if denial then return exchange:refuse(denial, body.stream) end
  if not ask then return end
  local done = completion.new(body, state.new_id)
  if body.stream then return answer_stream(state, exchange, ask, body, done) end
  answer_whole(state, exchange, ask, done)
end

-- Sends the events, each after its delay.
local function answer_typed(state, exchange, events)
  local delay = tonumber(exchange:header("x-dev-delay")) or state.delay
  if not exchange:open_events() then return end
  for _, event in ipairs(events) do
    if not exchange:wait(delay) or not exchange:send(json.encode(event[2]), event[1]) then return end
  end
  exchange:end_events()
end

-- The endpoint of another dialect.
local function endpoint_of(dialect)
  return function(state, exchange)
    local given, refusal = read_body(exchange, function(body) return checks.chat(dialect.as_chat(body)) end)
    if refusal then return exchange:refuse(refusal) end
    local body = dialect.as_chat(given)
    local ask, denial = admit(state, exchange, body, words.of_messages(body.messages))
    if denial then return exchange:refuse(denial, given.stream) end
    if not ask then return end
    local done = completion.new(body, state.new_id)
    state.guard:spend(ask.app_id, ask.cost)
    if given.stream then return answer_typed(state, exchange, dialect.events(done)) end
    exchange:reply(200, dialect.whole(done))
  end
end

-- A list of numbers is one text given as tokens.
local function input_texts(input)
  if type(input) == "string" then return { input } end
  if type(input[1]) == "number" then return { table.concat(input, " ") } end
  local texts = {}
  for index, item in ipairs(input) do
    texts[index] = type(item) == "table" and table.concat(item, " ") or tostring(item)
  end
  return texts
end

local function embeddings(state, exchange)
  local body, refusal = read_body(exchange, checks.embeddings)
  if refusal then return exchange:refuse(refusal) end
  local texts = input_texts(body.input)
  local tokens = words.count(table.concat(texts, "\n"))
  local ask, denial = admit(state, exchange, body, table.concat(texts, "\n"))
  if denial then return exchange:refuse(denial) end
  if not ask then return end
  local data = {}
  for index, text in ipairs(texts) do
    local vector = vectors.embed(text, body.dimensions or state.dimensions)
    data[index] = { object = "embedding", index = index - 1,
      embedding = body.encoding_format == "base64" and vectors.base64(vector) or vector }
  end
  state.guard:spend(ask.app_id, ask.cost)
  exchange:reply(200, { object = "list", data = data, model = body.model, cost = ask.cost,
    request_id = exchange.request_id, usage = { prompt_tokens = tokens, total_tokens = tokens } })
end

local function models(state, exchange)
  exchange:reply(200, state.catalog:show_all())
end

local function one_model(state, exchange, id)
  local model = state.catalog:show(id)
  if not model then return exchange:refuse(unknown_model(id)) end
  exchange:reply(200, model)
end

local function health(state, exchange)
  exchange:reply(200, { status = "healthy", service = "llm-gateway-dev", dialect = state.dialect,
    models = #state.catalog.list })
end

local ROUTES = {
  { "^/v?1?/?chat/completions$", "POST", chat },
  { "^/v?1?/?responses$", "POST", endpoint_of(dialects.responses) },
  { "^/v?1?/?messages$", "POST", endpoint_of(dialects.messages) },
  { "^/v?1?/?embeddings$", "POST", embeddings },
  { "^/v?1?/?audio/transcriptions$", "POST", audio.transcribe },
  { "^/v?1?/?audio/speech$", "POST", audio.speak },
  { "^/v?1?/?models$", "GET", models },
  { "^/v?1?/?models/(.+)$", "GET", one_model },
  { "^/v?1?/?health$", "GET", health, open = true },
}

local M = {}

-- Answers an ordinary request: the route is found, the key checked, the endpoint run.
function M.serve(state, exchange)
  for _, route in ipairs(ROUTES) do
    local rest = exchange.path:match(route[1])
    if rest then
      if exchange.method ~= route[2] then return exchange:refuse(WRONG_METHOD) end
      local refusal = not route.open
        and state.guard:authenticate(function(name) return exchange:header(name) end)
      if refusal then return exchange:refuse(refusal) end
      return route[3](state, exchange, rest)
    end
  end
  exchange:refuse(NOT_FOUND)
end

return M
