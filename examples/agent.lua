-- agent.lua: a model with tools: it asks, the program runs what it calls, until it has an answer. Text and tool events
-- are shown as they come, and what costs something is only done when somebody said yes.
local function object(properties, required)
  return { type = "object", properties = properties, required = required, additionalProperties = false }
end

local TEXT = { type = "string", minLength = 1 }

local tools = {
  {
    name = "get_weather", description = "The weather in a city", parameters = object({ city = TEXT }, { "city" }),
    call = function(arguments) return { city = arguments.city, sky = "clear", degrees = 21 } end,
  },
  {
    name = "book_train", description = "Books a train to a city", parameters = object({ city = TEXT }, { "city" }),
    call = function(arguments)
      if arguments.city == "Atlantis" then return nil, "no train goes there" end -- the model reads this
      return "booked: " .. arguments.city
    end,
  },
}

-- A real program would ask somebody here; it may wait, for the other tools go on meanwhile.
local function approve(call)
  if call.name ~= "book_train" then return true end
  local may = arg and arg[1] == "--yes"
  return may, "the user did not agree to pay"
end

local SHOWN = {
  text = function(event) io.write(event.text) end,
  tool_call = function(event) print(("  calls %s(%s)"):format(event.name, event.arguments)) end,
  tool_result = function(event) print(("  %s: %s"):format(event.failed and "failed" or "result", event.content)) end,
  done = function(event) print(("\n  (%d messages)"):format(#event.messages)) end,
}

require("examples.gateway").with_client({}, function(client, llm)
  local messages = { { role = "system", content = "You plan trips." } }
  for _, question in ipairs({ "What is the weather in Paris and Rome?", "Book a train to Rome!" }) do
    print("> " .. question)
    table.insert(messages, { role = "user", content = question })
    local run = llm.assert(client:run_tools({
      messages = messages, tools = tools, approve = approve, max_rounds = 5, timeout = 60, stream = true,
    }))
    local event, err = run:next() -- or, but for tasks of Lua 5.1: for event in run do ... end
    while event do
      SHOWN[event.type](event)
      messages = event.messages or messages
      event, err = run:next()
    end
    if err then return print("failed: " .. tostring(err)) end
  end
end)
