-- stream.lua: an answer, word by word.   lua5.4 examples/stream.lua Count to 12
local text = #arg > 0 and table.concat(arg, " ") or "Count to 12"

require("examples.gateway").with_client({}, function(client, llm)
  local request = { model = "gpt-4", messages = { { role = "user", content = text } }, stream = true }
  for word in llm.assert(client:chat(request)):texts() do
    io.write(word)
    io.flush()
  end
  print()
end)
