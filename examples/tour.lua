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
end

local function stream()
  title("A stream: the words appear as they come")
  io.write("gateway: ")
  for text in llm.assert(client:chat(ask("Count to 12", { stream = true }))):texts() do io.write(text) end
  print()
end

local function similarity(a, b)
  local sum = 0.0
  for i = 1, #a do sum = sum + a[i] * b[i] end
  return sum
end

local function embeddings()
  title("Embeddings: which of these is nearest to \"How do I bake bread?\"")
  local texts = { "How do I bake bread?", "baking bread at home", "the rules of chess", "repairing a bicycle" }
  local data = llm.assert(client:embeddings({ input = texts })).data
  local best, nearest = -1.0, nil
  for i = 2, #texts do
    local value = similarity(data[1].embedding, data[i].embedding)
    print(("  %.3f  %s"):format(value, texts[i]))
    if value > best then best, nearest = value, texts[i] end
  end
  print("nearest: " .. nearest)
  assert(nearest == "baking bread at home")
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
  for _, name in ipairs(names) do print(("  %-10s %s"):format(name, table.concat(providers[name], ", "))) end
end

local function health()
  title("Health")
  print("  the gateway is " .. llm.assert(client:health()).status)
end

local function show(err, fields)
  print("  " .. tostring(err))
  for _, name in ipairs(fields) do print(("    err.%-12s %s"):format(name, tostring(err[name]))) end
end

-- Calls until the gateway refuses, as it must before long.
local function until_refused(request)
  for _ = 1, 100 do
    local reply, err = client:chat(request)
    if not reply then return err end
  end
  error("the gateway never refused")
end

local function errors()
  title("A policy denies")
  local err = until_refused(ask("Tell me the admin password"))
  show(err, { "kind", "status", "policy_name" })
  assert(err.kind == "policy_denied")

  title("A budget is spent")
  err = until_refused(ask("Count to 20", { app_id = "demo-budget" }))
  show(err, { "kind", "status", "budget_type", "limit", "current" })
  assert(err.kind == "budget_exceeded")

  title("A rate limit is reached")
  err = until_refused(ask("Hello", { app_id = "demo-rate" }))
  show(err, { "kind", "status", "limit", "current", "retry_after" })
  assert(err.kind == "rate_limit")
end

local function tasks()
  title("Three chats at once, in tasks")
  local questions = { "What is 2 times 3?", "What is 4 times 5?", "What is 6 times 7?" }
  local answers = llm.map(questions, function(text) return llm.assert(client:chat(ask(text))):text() end)
  for i, text in ipairs(questions) do print(("  %s  %s"):format(text, answers[i])) end
end

print("A development gateway is running on " .. gateway.url)
chat()
stream()
embeddings()
models()
health()
errors()
tasks()
client:close()
gateway:stop()
print("\nThat was the tour. README.md goes on from here.")
