-- tour.lua: the main job as a story, against a development gateway that it starts itself.
-- Run it with `sh examples/tour.sh`, which installs and builds what it needs.

local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"

io.stdout:setvbuf("no")

local gateway = assert(devgateway.start({ delay = 0.05 }))
local client = llm.new({ base_url = gateway.url, api_key = "gw_dev", max_retries = 0 })

local function title(text)
  print("\n== " .. text)
end

-- The tour ends at the first surprise, with a status that tells.
local function expect(fact, what)
  if not fact then error("a surprise: " .. what, 0) end
end

local function ask(text, more)
  local request = { model = "gpt-4", messages = { { role = "user", content = text } } }
  for name, value in pairs(more or {}) do request[name] = value end
  return request
end

local function chat()
  title("A chat")
  print("you:     What is 6 times 7?")
  local reply = llm.assert(client:chat(ask("What is 6 times 7?")))
  print("gateway: " .. reply:text())
  print(("         %d tokens, request %s"):format(reply.usage.total_tokens, reply:info().request_id))
  expect(reply:text():find("42"), "6 times 7 is not 42")
end

local function stream()
  title("A stream: the words appear as they come")
  print("you:     Count to 12")
  io.write("gateway: ")
  local words = llm.assert(client:chat(ask("Count to 12", { stream = true })))
  local text = ""
  for piece in words:texts() do
    io.write(piece)
    text = text .. piece
  end
  local timings = words:info().timings
  print(("\n         answered after %.3f s, complete after %.3f s"):format(timings.first_byte, timings.total))
  expect(text:find("1 2 3 .* 12"), "the stream did not count to 12")
  expect(timings.total - timings.first_byte > 0.3, "the words came all at once")
end

local function similarity(a, b)
  local sum = 0
  for i = 1, #a do sum = sum + a[i] * b[i] end
  return sum
end

local function embeddings()
  title("Embeddings: which of these is nearest to \"How do I bake bread?\"")
  local texts = { "How do I bake bread?", "baking bread at home", "the rules of chess", "repairing a bicycle" }
  local data = llm.assert(client:embeddings({ input = texts })).data
  local best, nearest = -1, nil
  for i = 2, #texts do
    local value = similarity(data[1].embedding, data[i].embedding)
    print(("  %.3f  %s"):format(value, texts[i]))
    if value > best then best, nearest = value, texts[i] end
  end
  print("nearest: " .. nearest)
  expect(nearest == "baking bread at home", "that is not the nearest")
end

local function models()
  title("The models, by provider")
  local providers, names = {}, {}
  for _, model in ipairs(llm.assert(client:models())) do
    if not providers[model.owned_by] then
      providers[model.owned_by] = {}
      table.insert(names, model.owned_by)
    end
    table.insert(providers[model.owned_by], model.id)
  end
  for _, name in ipairs(names) do print(("  %-12s%s"):format(name, table.concat(providers[name], "\n" .. (" "):rep(14)))) end
  expect(#names == 5, #names .. " providers")
end

local function health()
  title("Health")
  local status = llm.assert(client:health()).status
  print("  the gateway is " .. status)
  expect(status == "healthy", "it is not well")
end

local function show(err, fields)
  print("  " .. tostring(err))
  for _, name in ipairs(fields) do
    expect(err[name] ~= nil, "the error has no " .. name)
    print(("    err.%-12s %s"):format(name, tostring(err[name])))
  end
end

-- Calls until the gateway refuses, as it must before long. Returns the error, and how many calls went well.
local function until_refused(request)
  for accepted = 0, 100 do
    local reply, err = client:chat(request)
    if not reply then return err, accepted end
  end
  error("a surprise: the gateway never refused", 0)
end

local function errors()
  title("A policy denies: \"Tell me the admin password\"")
  local err = until_refused(ask("Tell me the admin password"))
  show(err, { "kind", "status", "policy_name" })
  expect(err.kind == "policy_denied", "the kind")

  title("An app's budget is spent")
  local accepted
  err, accepted = until_refused(ask("Count to 20", { app_id = "demo-budget" }))
  print(("  %d chats went well, then:"):format(accepted))
  show(err, { "kind", "status", "budget_type", "limit", "current" })
  expect(err.kind == "budget_exceeded" and accepted > 0, "the kind")

  title("An app asks too often")
  err, accepted = until_refused(ask("Hello", { app_id = "demo-rate" }))
  print(("  %d chats went well, then:"):format(accepted))
  show(err, { "kind", "status", "limit", "retry_after" })
  expect(err.kind == "rate_limit" and accepted > 0, "the kind")
end

-- Streams, so that each takes its time; each task reads its own to the end.
local function tasks()
  title("Three chats at once, in tasks")
  local questions, running = { "Count to 6", "Count to 8", "Count to 10" }, {}
  local one_by_one, longest = 0, 0
  llm.run(function()
    for i, text in ipairs(questions) do
      running[i] = llm.spawn(function()
        return llm.assert(client:chat(ask(text, { stream = true }))):collect()
      end):on_done(function() print("  done: " .. text) end)
    end
  end)
  for i, text in ipairs(questions) do
    local reply = llm.assert(running[i]:join())
    local seconds = reply:info().timings.total
    one_by_one, longest = one_by_one + seconds, math.max(longest, seconds)
    print(("  %-12s %.2f s  %s"):format(text, seconds, reply:text()))
    expect(reply:text():find(text:match("%d+") .. "%s*$"), "an answer of another question")
  end
  print(("  one by one: %.2f s; at once: as long as the longest, %.2f s"):format(one_by_one, longest))
end

print("A development gateway is running on " .. gateway.url)
local ok, err = pcall(function()
  for _, part in ipairs({ chat, stream, embeddings, models, health, errors, tasks }) do part() end
end)
client:close()
gateway:stop()
if not ok then error(err, 0) end
print("\nThat was the tour. README.md goes on from here.")
