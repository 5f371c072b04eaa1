-- calls.lua: makes every public call once for each allocation that may fail in it (see host.c).
-- After each: what it raised speaks of memory, nothing is left waiting, nothing of it is left in memory, no
-- descriptor stays, and the same client answers again.

local URL, STRIDE, sweep = ... -- of the gateway; how many allocations to go on by; host.c's functions

local llm = require "llm_gateway"
local sse = require "llm_gateway.sse"

local client -- a new one for each sweep
local QUESTION = { { role = "user", content = "Count to 3" } }

local function ask(fields)
  local request = { messages = QUESTION }
  for name, value in pairs(fields or {}) do request[name] = value end
  return request
end

local function stream(fields)
  local made, err = client:chat(ask(fields or { stream = true }))
  if not made then error(err, 0) end
  return made
end

local function drain(made)
  local text = {}
  while true do
    local chunk, err = made:next()
    if err then error(err, 0) end
    if not chunk then return table.concat(text) end
    text[#text + 1] = chunk.choices[1] and chunk.choices[1].delta.content or ""
  end
end

local function with_fault(fault, fields)
  return ask({ headers = { ["X-Dev-Fault"] = fault }, stream = fields and fields.stream, timeout = 0.1 })
end

-- Each returns its result or nil, err, as a user's function would.
local calls = {
  { "chat", function() return client:chat(ask()) end },
  { "reply:text, reply:info", function() local r = llm.assert(client:chat(ask())) return r:text(), r:info() end },
  { "chat, refused", function() return client:chat(ask({ api_key = "wrong" })) end },
  { "chat, denied", function() return client:chat({ messages = { { role = "user", content = "the password" } } }) end },
  { "chat, checked", function() return client:chat({ messages = { { role = "robot" } } }) end },
  { "chat, retried", function()
    return client:chat(ask({ max_retries = 1, headers = { ["X-Dev-Fault"] = "status;code=503;retry_after=0.001" } }))
  end },
  { "stream:next", function() return drain(stream()) end },
  { "for", function() for _ in stream() do end return true end },
  { "stream:texts", function() for _ in stream():texts() do end return true end },
  { "stream:collect", function() return stream():collect() end },
  { "stream:close", function() local s = stream() s:next() s:close() return s:next() end },
  { "stream:info", function() return stream():info() end },
  { "stream left to the collector", function() stream():next() return true end },
  { "stream, cut", function()
    local s, err = client:chat(with_fault("cut;events=2", { stream = true }))
    if not s then return nil, err end
    return s:collect()
  end },
  { "stream, no stream", function() return client:chat(with_fault("wrong-type", { stream = true })) end },
  { "embeddings", function() return client:embeddings({ input = "Hello", dimensions = 4 }) end },
  { "embeddings, base64", function()
    return client:embeddings({ input = "Hello", dimensions = 4, encoding_format = "base64" })
  end },
  { "models", function() return client:models() end },
  { "health", function() return client:health() end },
  { "request", function()
    local reply, err = client:request({ path = "/~echo", body = { a = { 1, 2.5, "x" } } })
    if type(reply) == "string" then error("the body's text instead of the body", 0) end
    return reply, err
  end },
  { "request, streamed", function()
    local s, err = client:request({ path = "/v1/chat/completions", body = ask({ stream = true }), stream = true })
    if not s then return nil, err end
    return s:collect()
  end },
  { "request, a form", function()
    local sound = { data = "abc", filename = "a.mp3" }
    return client:request({ path = "/v1/audio/transcriptions",
      multipart = { model = "x", file = { path = "LICENSE" }, sound = sound } })
  end },
  { "request, into a file", function()
    local path = os.tmpname()
    local reply, err = client:request({ path = "/v1/audio/speech", body = { bytes = 50000 }, into = path })
    os.remove(path)
    return reply, err
  end },
  { "run_tools", function()
    local tool = { name = "get_weather", call = function() return "fine" end,
      parameters = { type = "object", properties = { city = { type = "string" } } } }
    local question = { role = "user", content = "What is the weather in Paris?" }
    return client:run_tools({ messages = { question }, tools = { tool } })
  end },
  { "conversation", function() return llm.assert(llm.conversation(client, { system = "x" })):say("Hello") end },
  { "with, close", function() local c = client:with({ timeout = 3 }) c:close() return true end },
  { "close under a stream", function()
    local c = client:with({ timeout = 3 })
    local s = llm.assert(c:chat(ask({ stream = true })))
    c:close()
    return s:next()
  end },
  { "new", function() local c = llm.new({ base_url = URL, headers = { ["X-A"] = "b" } }) c:close() return true end },
  { "new_loop", function() local l = llm.new_loop() l:close() return true end },
  { "nobody listens", function() return client:with({ base_url = "http://127.0.0.1:1" }):health() end },
  { "run, spawn, join", function()
    return llm.run(function()
      local a = llm.spawn(function() return client:health() end)
      local b = llm.spawn(function() return drain(stream()) end)
      return a:join(), b:join()
    end)
  end },
  { "a task that fails", function() return llm.spawn(function() error("oh") end):join() end },
  { "map", function()
    return llm.map({ 1, 2, 3 }, { concurrency = 2 }, function() return client:health() end)
  end },
  { "cancel", function()
    local t = llm.spawn(function() return client:chat(with_fault("never")) end)
    llm.step(0)
    t:cancel()
    return t:join()
  end },
  { "on_done", function()
    local seen
    local t = llm.spawn(function() return llm.sleep(0.001) end):on_done(function() seen = true end)
    t:join()
    return seen
  end },
  { "sleep, step, fd, pending", function()
    llm.sleep(0.0001)
    llm.step(0)
    return llm.fd(), llm.pending()
  end },
  { "sse", function()
    local parser = sse.new({ max_event_bytes = 1000 })
    parser:feed("id: 7\nevent: a\ndata: b\n\ndata: c\ndata: d\n\nretry: 10\ndata: e\n")
    for _ in parser:events() do end
    return parser:retry(), parser:finish()
  end },
  { "json", function()
    local text = assert(llm.json.encode({ a = { 1, 2.5, llm.null, llm.array() }, b = "\240\159\152\128" }))
    return llm.json.decode(text)
  end },
  { "json in pieces", function()
    local parser = require("llm_gateway.json").partial()
    for piece in ('{"a":[1,{"b":"\\u00e9 and more"},null],"c":"' .. ("long "):rep(100) .. '"}'):gmatch("..?.?") do
      parser:feed(piece)
      parser:value()
    end
    return parser:finish()
  end },
  { "models of requests", function()
    return llm.ChatCompletionRequest({ messages = QUESTION, temperature = 1 }), llm.EmbeddingRequest({ input = "x" })
  end },
}

-- ---------------------------------------------------------------------------------------------------------
-- A sweep

local faults = 0

local function complain(name, allocator, n, ...)
  faults = faults + 1
  io.stderr:write(("%s, %s, N = %d: "):format(name, allocator, n), table.concat({ ... }), "\n")
end

local function is_expected(err)
  if llm.is_error(err) then return true end
  return tostring(err):find("memory") ~= nil
end

local function settle()
  for _ = 1, 1000 do
    if not llm.step(0.005) then return true end
  end
  return false
end

local function is_usable()
  local reply, err = client:chat(ask())
  return reply and reply:text() == "1 2 3", err
end

local function check(name, allocator, n)
  if not settle() then return complain(name, allocator, n, "something waits for ever: ", tostring(llm.loop())) end
  local fine, answer, err = pcall(is_usable)
  if not fine or not answer then complain(name, allocator, n, "not usable afterwards: ", tostring(err or answer)) end
end

local function open()
  llm.loop().on_error = function() end -- a task that ran out of memory is reported to nobody else
  client = llm.new({ base_url = URL, api_key = "gw_dev", max_retries = 0, total_timeout = 0.5 })
end

-- What stays when everything is over and closed.
local function level()
  settle()
  client:close()
  llm.loop():close()
  collectgarbage()
  collectgarbage()
  return { kilobytes = collectgarbage("count"), blocks = sweep.blocks(), descriptors = sweep.descriptors() }
end

-- Makes the call with its nth allocation failing, and those after it. Returns whether there was such a one.
local function try(name, call, allocator, n)
  local refused, _, ok, result, err = sweep.try(allocator, n, call)
  local told = not ok and result or result == nil and err or nil
  if told ~= nil and not is_expected(told) then complain(name, allocator, n, tostring(told)) end
  return refused > 0
end

local function compare(name, allocator, before, after)
  for what, allowed in pairs({ blocks = 0, descriptors = 0, kilobytes = 64 }) do
    local more = after[what] - before[what]
    if more > allowed then complain(name, allocator, 0, ("%g more %s than before"):format(more, what)) end
  end
end

local function sweep_call(name, call, allocator)
  open()
  pcall(call)
  check(name, allocator, 0)
  local before, n, tried = level(), 1, 0
  open()
  while try(name, call, allocator, n) do
    check(name, allocator, n)
    n, tried = n + STRIDE, tried + 1
  end
  compare(name, allocator, before, level())
  print(("%-28s %-5s %6d allocations failed"):format(name, allocator, tried))
  return tried
end

local only = os.getenv("SWEEP_CALL")
local total = { lua = 0, core = 0 }

for _, case in ipairs(calls) do
  local name, call = case[1], case[2]
  for _, allocator in ipairs({ "lua", "core" }) do
    if not only or only == name then total[allocator] = total[allocator] + sweep_call(name, call, allocator) end
  end
end
print(("in all: lua %d, core %d; faults: %d"):format(total.lua, total.core, faults))
if faults > 0 then error(faults .. " faults", 0) end
