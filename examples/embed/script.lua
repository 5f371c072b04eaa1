-- script.lua: what host.c runs in each of its Lua states: tasks, and a word count for the host to read.
local llm = require "llm_gateway"

local client = llm.new{ base_url = os.getenv("URL"), api_key = os.getenv("LLM_GATEWAY_API_KEY") or "gw_dev" }
words = 0 -- the host reads it

for _ = 1, 3 do
  llm.spawn(function()
    local request = { messages = { { role = "user", content = "Count to 12" } }, stream = true }
    for _ in llm.assert(client:chat(request)):texts() do words = words + 1 end
  end)
end
