-- Every example runs, as a process of its own, and says what it should.
local lua = os.getenv("SPEC_LUA") or "lua5.4"

local EXPECTED = {
  ["chat.lua"] = "42", ["stream.lua"] = "1 2 3 4 5 6 7 8 9 10 11 12", ["errors.lua"] = "denied by no%-secrets",
  ["embeddings.lua"] = "^0%.%d+  baking bread at home", ["models.lua"] = "gpt%-4", ["tools.lua"] = "Paris",
  ["tasks.lua"] = "task 3:  9", ["tour.lua"] = "That was the tour",
  ["batch.lua"] = "the budget is used up.*of 10 answered for 0%.00",
  ["agent.lua"] = "failed: {\"error\":\"the call was denied: the user did not agree to pay\"}",
}

describe("the example #apart", function()
  if lua:find("asan") then return end
  for name, words in pairs(EXPECTED) do
    it(name .. " runs", function()
      local command = "env -u LLM_GATEWAY_BASE_URL %s examples/%s 2>&1; echo status $?"
      local pipe = assert(io.popen(command:format(lua, name)))
      local text = pipe:read("*a")
      pipe:close()
      assert.matches("status 0%s*$", text)
      assert.matches(words, text)
    end)
  end
end)
