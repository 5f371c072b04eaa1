-- chat.lua: one question, one answer.   lua5.4 examples/chat.lua What is 6 times 7?
local text = #arg > 0 and table.concat(arg, " ") or "What is 6 times 7?"

require("examples.gateway").with_client({}, function(client, llm)
  local reply = llm.assert(client:chat({ model = "gpt-4", messages = { { role = "user", content = text } } }))
  print(reply:text())
  print(reply.usage.total_tokens .. " tokens")
end)
