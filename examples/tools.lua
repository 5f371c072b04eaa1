-- tools.lua: the model asks for a function, the program runs it, the model answers with what it gave.
local tools = { {
  type = "function",
  ["function"] = {
    name = "get_weather", description = "The weather in a city",
    parameters = { type = "object", properties = { city = { type = "string" } }, required = { "city" } },
  },
} }

local functions = {
  get_weather = function(arguments) return { city = arguments.city, sky = "clear", degrees = 21 } end,
}

require("examples.gateway").with_client({}, function(client, llm)
  local messages = { { role = "user", content = "What is the weather in Paris?" } }
  local reply = llm.assert(client:chat({ messages = messages, tools = tools }))
  local message = reply.choices[1].message
  table.insert(messages, message)
  for _, call in ipairs(message.tool_calls or {}) do
    local name, arguments = call["function"].name, llm.json.decode(call["function"].arguments)
    print("the model calls " .. name .. "(" .. call["function"].arguments .. ")")
    local result = functions[name](arguments)
    table.insert(messages, { role = "tool", tool_call_id = call.id, content = llm.json.encode(result) })
  end
  print(llm.assert(client:chat({ messages = messages, tools = tools })):text())
end)
