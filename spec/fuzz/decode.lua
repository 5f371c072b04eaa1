-- decode.lua: the invariants of spec/fuzz/decode.c: returns the function that each input is given to; it raises when
-- one does not hold. Leans on errors/, reply/ and json/ as call/ uses them, without a network.
--
-- An input is a letter and what it is about; "$K" and "$L" stand for two keys of the client, anywhere.
--   A  an answer: its status, header lines, a blank line, the body
--   E  a stream: a line of letters (how it is read: n c t e; p: no chat, r: Responses, m: Messages; it ends: l lost,
--      s silent, x closed), header lines, a blank line, then events: data, perhaps after "event: name", each with a
--      blank line but the last
--   J  (or anything else) JSON

local dialects = require "llm_gateway.reply.dialects"
local errors = require "llm_gateway.errors"
local events = require "llm_gateway.reply.events"
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local loop_state = require "llm_gateway.loop.state"
local promises = require "spec.fuzz.promises"
local retry = require "llm_gateway.call.retry"
local streams = require "llm_gateway.reply.stream"
local wait = require "llm_gateway.loop.wait"

local KEY = "sk-Fz7vQ2xR9tK4mW8yLp3"
local LONG_KEY = KEY .. "-and-more-of-it"
local SECRETS = { KEY, LONG_KEY, "short" }
local SHOWN = 8 -- so many bytes of a key in a row are too many

local KINDS = {}
for kind in ("authentication rate_limit validation not_found policy_denied budget_exceeded server timeout connection "
  .. "stream cancelled task"):gmatch("%S+") do KINDS[kind] = true end

local demand = promises.demand

-- ---------------------------------------------------------------------------------------------------------
-- Keys

local function put_keys(text)
  return (text:gsub("%$([KL])", { K = KEY, L = LONG_KEY }))
end

-- A piece of a key is a leak too, unless the server made it up.
local function forbidden(text)
  local bare = text:gsub("%$[KL]", "")
  local head = KEY:sub(1, SHOWN)
  if bare:find(head:sub(4), 1, true) or bare:find("\\", 1, true) then return KEY end
  return head
end

local function check_hidden(value, piece, seen)
  if type(value) == "string" then
    demand(not value:find(piece, 1, true), "no key in %q", value:sub(1, 500))
  elseif type(value) == "table" and not seen[value] then
    seen[value] = true
    for name, item in next, value do
      check_hidden(name, piece, seen)
      check_hidden(item, piece, seen)
    end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Error tables

local TEXTS = { "code", "policy_name", "budget_type", "request_id", "partial" }
local NUMBERS = { "limit", "current", "retry_after", "status" }

local function check_fields(err)
  demand(errors.is(err), "an error, got %s", tostring(err))
  demand(KINDS[err.kind], "a known kind, got %s", tostring(err.kind))
  demand(type(err.message) == "string" and err.message ~= "", "a message")
  demand(type(err.retryable) == "boolean", "retryable is yes or no")
  demand(err.headers == nil or type(err.headers) == "table", "headers are a table")
  for _, name in ipairs(TEXTS) do
    demand(err[name] == nil or type(err[name]) == "string", "%s is text, got %s", name, tostring(err[name]))
  end
  for _, name in ipairs(NUMBERS) do
    local n = err[name]
    demand(n == nil or (type(n) == "number" and n == n and n < math.huge and n > -math.huge),
      "%s is a number, got %s", name, tostring(n))
  end
  demand(err.retry_after == nil or err.retry_after >= 0, "retry_after is not negative")
  demand(err.status == nil or (err.status >= 100 and err.status % 1 == 0), "a status")
end

local RETRIES = { max_retries = 2, max_retry_delay = 20 }

local function check_error(err, piece)
  check_fields(err)
  demand(tostring(err):sub(1, 1) == "[" and ("" .. err) == tostring(err), "an error as text")
  check_hidden(err, piece, {})
  check_hidden(tostring(err), piece, {})
  local delay = retry.delay(err, 1, RETRIES, 60)
  demand(delay == nil or (delay >= 0 and delay <= 60), "a delay")
end

-- ---------------------------------------------------------------------------------------------------------
-- Answers

-- Header lines up to a blank one, as they stand; and what follows.
local function read_head(text, at)
  local start = at
  while true do
    local line, stop = text:match("^([^\n]*)\n()", at)
    if not line then return text:sub(start, at - 1), text:sub(at) end
    if line == "" then return text:sub(start, at - 1), text:sub(stop) end
    at = stop
  end
end

local function check_answer(text, piece)
  local digits, at = text:match("^(%d%d%d)[^\n]*\n()")
  local head, body = read_head(text, at or 1)
  local value = json.decode(body)
  for _, in_stream in ipairs({ false, true }) do
    local err = errors.of_answer({
      status = math.max(tonumber(digits) or 200, 100), head = head, text = body, value = value,
      in_stream = in_stream, attempts = 2, secrets = SECRETS,
    })
    check_error(err, piece)
    demand(err.attempts == 2, "the attempts are told")
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Streams

local function nothing() end
local LOOP = {}

-- A transfer here never makes anybody wait.
local function replace_waiting()
  wait.enter, wait.yield_turn, wait.wake_waiter, loop_state.mark_busy = nothing, nothing, nothing, nothing
  function wait.await(_, _, subject, pull) return pull(subject) end
end

replace_waiting()

local ENDS = {
  l = { class = "lost", text = "gone with $K", connected = true },
  s = { class = "timeout", clock = "silence", text = "", connected = true },
  x = { class = "closed", text = "", connected = true },
}

local function facts_of(letters)
  local letter = letters:match("[lsx]")
  local facts = {}
  for name, value in pairs(ENDS[letter] or {}) do
    facts[name] = type(value) == "string" and put_keys(value) or value
  end
  return letter and facts or nil
end

-- What the core's transfer is to a stream.
local function transfer_of(text, facts)
  local transfer, at = { times = function() return "" end, close = nothing, release = nothing, learn = nothing,
    limit_events = nothing, id = function() return "id" end }, 1
  function transfer.pull()
    if at > #text then return nil, facts end
    local stop, past = text:find("\n\n", at, true)
    local data, unfinished = text:sub(at, (stop or #text + 1) - 1), stop == nil
    at = (past or #text) + 1
    local name, rest = data:match("^event: ([^\n]*)\n?(.*)$")
    transfer.last = rest or data
    return transfer.last, name ~= "" and name or nil, unfinished
  end
  function transfer.chunk()
    local data, name, unfinished = transfer.pull()
    if data == nil then return nil, name end
    return events.decoded(data, name, unfinished)
  end
  function transfer.data() return transfer.last end
  return transfer
end

local function check_chunk(chunk, dialect)
  demand(type(chunk) == "table", "a chunk is a table")
  if dialect ~= dialects.chat then return end
  demand(type(chunk.choices) == "table", "a chunk has choices")
  for _, choice in ipairs(chunk.choices) do
    demand(type(choice.index) == "number" and type(choice.delta) == "table", "a choice has index and delta")
  end
end

local function read_chunks(stream, dialect)
  local chunk, err = stream:next()
  while chunk ~= nil do
    check_chunk(chunk, dialect)
    chunk, err = stream:next()
  end
  return err
end

local function read_texts(stream)
  local next_text = stream:texts()
  local ok, text = pcall(next_text)
  while ok and text ~= nil do
    demand(type(text) == "string" and text ~= "", "a piece of text")
    ok, text = pcall(next_text)
  end
  if not ok then return text end
end

local function read_events(stream)
  local ok, err = pcall(function()
    for event in stream:events() do
      demand(type(event.data) == "string" and type(event.event) == "string", "an event as it came")
    end
  end)
  if not ok then return err end
end

local function check_calls(reply)
  for _, choice in ipairs(reply.choices or {}) do
    for _, call in ipairs(type(choice.message.tool_calls) == "table" and choice.message.tool_calls or {}) do
      local called = type(call) == "table" and call["function"]
      demand(type(called) ~= "table" or (type(call.id) == "string" and type(called.arguments) == "string"),
        "a call has an id, and arguments as text")
    end
  end
end

local function read_whole(stream, dialect)
  local reply, err = stream:collect()
  if not reply then return err end
  demand(type(llm.text(reply)) == "string", "a reply has a text")
  demand(type(llm.reasoning(reply)) == "string", "a reply has a reasoning, perhaps none")
  if dialect == dialects.chat then check_calls(reply) end
  json.encode(reply)
end

local READERS = { c = read_whole, t = read_texts, e = read_events }
local DIALECTS = { p = "plain", r = "responses", m = "messages" }

local function check_stream(text, piece)
  local letters, at = text:match("^(%l*)\n()")
  local head, body = read_head(text, at or 1)
  letters = letters or ""
  local about = { status = 200, head = head, attempts = 1 }
  local function asked() return SECRETS, { origin = "http://x" } end
  local dialect = dialects[DIALECTS[letters:match("[prm]") or ""] or "chat"]
  local stream = streams.of_transfer(LOOP, transfer_of(body, facts_of(letters)), about, asked, dialect)
  local err = (READERS[letters:match("[cte]") or ""] or read_chunks)(stream, dialect)
  if err ~= nil then check_error(err, piece) end
  local chunk, again = stream:next()
  demand(chunk == nil and again == err, "a stream stays as it ended")
  demand(type(stream:info()) == "table", "a stream has its info")
end

-- ---------------------------------------------------------------------------------------------------------
-- JSON

local function check_json(text)
  local value, why = json.decode(text)
  demand(value ~= nil or why == nil or (type(why) == "string" and why ~= ""), "a reason")
  promises.keeps_halves(text, value)
  if value ~= nil then promises.comes_back(value) end
end

local CHECKS = { A = check_answer, E = check_stream, J = check_json }

return function(input)
  local check = CHECKS[input:sub(1, 1)]
  local text = check and input:sub(2) or input
  return (check or check_json)(put_keys(text), forbidden(text))
end
