-- tasks.lua: several streams at once in one thread; each line is a task's.
require("examples.gateway").with_client({}, function(client, llm)
  llm.run(function()
    for i = 1, 3 do
      llm.spawn(function()
        local request = { messages = { { role = "user", content = "Count to " .. 3 * i } }, stream = true }
        local stream = llm.assert(client:chat(request))
        local chunk, err = stream:next()
        while chunk do
          local choice = chunk.choices[1]
          if choice and choice.delta.content then print("task " .. i .. ": " .. choice.delta.content) end
          chunk, err = stream:next()
        end
        if err then print("task " .. i .. " failed: " .. tostring(err)) end
      end)
    end
  end)
end)
