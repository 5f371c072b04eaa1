-- calls.lua: one call of the soak: some verb, with some fault or none, and whether its end may be believed.
-- Leans on llm_gateway alone. What it asks always has the same answer, so that an untruth shows.

local core = require "llm_gateway.core"
local llm = require "llm_gateway"

local M = { TOTAL_TIMEOUT = 1.5 } -- seconds

local ANSWER = "1 2 3 4 5 6 7 8 9 10 11 12"
local MESSAGES = { { role = "user", content = "Count to 12" } }

-- After these the whole answer comes all the same, if any.
local HARMLESS = {
  "one-byte;linger=0", "no-done", "close-after", "drop-next", "flaky;times=1;code=503;retry_after=0.01",
  "slow;seconds=0.05",
}
-- After these it must not: never a reply.
local HARMFUL = {
  "never", "drop", "reset", "reset;events=2", "cut", "cut;events=0", "cut-plain;as=length", "stall", "garbage",
  "wrong-type", "heartbeat", "empty", "endless-line;size=200000", "big;size=200000", "big-event;size=200000",
  "status;code=500", "status;code=404", "status;code=429;retry_after=0.01",
  "status;code=429;retry_after=60", "stall-body", "goaway",
}
-- Of these, some are harmful to a stream only: asked for whole, the fault has nothing to take away.
local STREAM_ONLY = {}
for name in ("heartbeat endless-line big-event stall cut cut-plain reset;events=2 empty"):gmatch("%S+") do
  STREAM_ONLY[name] = true
end

local function pick(list) return list[math.random(#list)] end

-- A fault's name or nil, and whether a reply may follow.
local function some_fault(is_stream)
  local chance = math.random()
  if chance < 0.4 then return nil, true end
  if chance < 0.6 then return pick(HARMLESS), true end
  local fault = pick(HARMFUL)
  local bites = is_stream or not (STREAM_ONLY[fault] or STREAM_ONLY[fault:match("^[^;]+")])
  return bites and fault or "never", false
end

local number = 0

-- The fields of a request: each bears an id of its own, which the gateway sends back.
local function marked(fields, fault)
  number = number + 1
  fields.headers = { ["X-Request-ID"] = "call-" .. number, ["X-Dev-Fault"] = fault }
  return fields
end

local function asked(is_stream)
  local fault, may_reply = some_fault(is_stream)
  if fault and fault:find("^flaky") then fault = ("%s;id=%d"):format(fault, number) end
  return marked({ messages = MESSAGES, stream = is_stream }, fault), may_reply, fault
end

-- What came back, by its text; or what it is instead, when it belongs to another call.
local function own(request, reply, text)
  local id = llm.info(reply) and llm.info(reply).request_id or reply.info and reply:info().request_id
  if id == request.headers["X-Request-ID"] then return text end
  return ("the answer to %s, asked for %s: %s"):format(tostring(id), request.headers["X-Request-ID"], tostring(text))
end

-- ---------------------------------------------------------------------------------------------------------
-- Verbs: each returns a reply's text (or true), or nil, err; then whether a reply is allowed, and the fault.

local function plain(client)
  local request, may_reply, fault = asked(false)
  local reply, err = client:chat(request)
  return reply and own(request, reply, reply:text()), err, may_reply, fault
end

local function read_next(stream)
  local words = {}
  while true do
    local chunk, err = stream:next()
    if err then return nil, err end
    if not chunk then return table.concat(words) end
    local choice = chunk.choices[1]
    table.insert(words, choice and choice.delta.content or "")
  end
end

local function read_texts(stream)
  local words = {}
  local ok, err = pcall(function() for word in stream:texts() do table.insert(words, word) end end)
  if not ok then return nil, err end
  return table.concat(words)
end

local function read_collect(stream)
  local reply, err = stream:collect()
  return reply and reply:text(), err
end

local function streamed(read)
  return function(client)
    local request, may_reply, fault = asked(true)
    local stream, err = client:chat(request)
    if not stream then return nil, err, may_reply, fault end
    local text
    text, err = read(stream)
    return text and own(request, stream, text), err, may_reply, fault
  end
end

-- Reads a few chunks, then leaves.
local function broken_off(client)
  local request, _, fault = asked(true)
  local stream, err = client:chat(request)
  if not stream then return nil, err, true, fault end
  for _ = 1, math.random(0, 6) do stream:next() end
  stream:close()
  local chunk
  chunk, err = stream:next()
  return chunk == nil and err == nil or nil, err, true, fault
end

local function cancelled(client)
  local request, _, fault = asked(true)
  local task = llm.spawn(function()
    local stream = llm.assert(client:chat(request))
    return llm.assert(stream:collect()):text()
  end)
  llm.sleep(math.random() * 0.1)
  task:cancel()
  local text, err = task:join()
  return text, err, true, fault
end

local function closed(client)
  local request, _, fault = asked(math.random() < 0.5)
  local short_lived = client:with({ timeout = 0.5 })
  local task = llm.spawn(function()
    local first, err = short_lived:chat(request)
    if not first then return nil, err end
    return request.stream and read_next(first) or first:text()
  end)
  llm.sleep(math.random() * 0.05)
  short_lived:close()
  local text, err = task:join()
  return text == ANSWER and text or text and true, err, true, fault
end

local function embedded(client)
  local request = marked({
    input = { "one", "two" }, dimensions = 8, encoding_format = math.random() < 0.5 and "base64" or nil,
  })
  local reply, err = client:embeddings(request)
  return reply and own(request, reply, reply.data and #reply.data[2].embedding == 8 and ANSWER), err, true
end

local function listed(client)
  local request = marked({})
  local list, err = client:models(request)
  return list and own(request, list, #list > 5 and ANSWER), err, true
end

local function health(client)
  local request = marked({})
  local reply, err = client:health(request)
  return reply and own(request, reply, reply.status == "healthy" and ANSWER), err, true
end

local VERBS = {
  { "chat", plain }, { "next", streamed(read_next) }, { "texts", streamed(read_texts) },
  { "collect", streamed(read_collect) }, { "break", broken_off }, { "cancel", cancelled }, { "close", closed },
  { "embeddings", embedded }, { "models", listed }, { "health", health },
}

-- ---------------------------------------------------------------------------------------------------------

-- What is wrong with an end, or nil.
local function untruth(text, err, may_reply)
  if text == nil or text == false then
    if not llm.is_error(err) then return "no error table: " .. tostring(err) end
    local partial = err.partial or ""
    if ANSWER:sub(1, #partial) ~= partial then return "partial is no part of the answer: " .. partial end
  elseif text ~= true and text ~= ANSWER then
    return "a wrong answer: " .. tostring(text)
  elseif not may_reply then
    return "a reply in spite of the fault"
  end
end

-- Makes one call and writes its end into the ledger.
function M.one(clients, ledger)
  local at, verb = math.random(#clients), pick(VERBS)
  local started = core.now()
  local text, err, may_reply, fault = verb[2](clients[at])
  local wrong = untruth(text, err, may_reply)
  if wrong then wrong = ("%s, %s, client %d: %s"):format(verb[1], fault or "no fault", at, wrong) end
  local fate = text and "reply" or llm.is_error(err) and err.kind or "?"
  ledger:count(verb[1], fate, core.now() - started - M.TOTAL_TIMEOUT, wrong)
end

return M
