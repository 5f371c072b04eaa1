-- What is loaded when, in processes of their own: a program that only chats starts soon; what comes later still works.
local support = require "spec.support"

describe("starting #apart", function()
  -- The library's modules that are loaded after a piece of code, a set.
  local function loaded_after(code)
    local set, count = {}, 0
    local text = support.run(code .. [[
      for name in pairs(package.loaded) do
        if name:find("^llm_gateway") then print("loaded: " .. name) end
      end
    ]])
    for name in text:gmatch("loaded: (%S+)") do
      set[name], count = true, count + 1
    end
    assert(set["llm_gateway"], text)
    return set, count
  end

  it("loads what a client needs, and little else", function()
    local set, count = loaded_after([[ require("llm_gateway").new{ base_url = "http://127.0.0.1:1", api_key = "k" } ]])
    assert.is_true(count <= 15, count .. " modules")
    for _, name in ipairs({ "json", "secrets", "errors.object", "reply", "loop.host", "schema.requests" }) do
      assert.is_nil(set["llm_gateway." .. name], name .. " is loaded")
    end
  end)

  it("loads nothing for a chat that this has no use for", function()
    local set = loaded_after([[
      local llm = require "llm_gateway"
      local client = llm.new{ base_url = "http://127.0.0.1:1", max_retries = 0 }
      client:chat{ messages = { { role = "user", content = "Hello!" } } }
    ]])
    for _, name in ipairs({
      "helpers.structured", "helpers.conversation", "helpers.reasoning", "reply.responses", "reply.messages",
      "reply.stream", "errors.answer", "gateways", "request.multipart", "request.near_miss", "call.hooks", "call.into",
    }) do
      assert.is_nil(set["llm_gateway." .. name], name .. " is loaded")
    end
  end)

  -- A server that leaks descriptors meets this first: its failed calls are told of as any other.
  it("tells of a failed connection when no file can be opened", function()
    for _, key in ipairs({ "nil", '"gw_key"' }) do
      local text = support.run(([[
        local llm = require "llm_gateway"
        local client = llm.new{ base_url = "http://127.0.0.1:1", api_key = %s, max_retries = 1, max_retry_delay = 0.01 }
        local hello = { messages = { { role = "user", content = "Hello!" } } }
        client:chat(hello) -- what a call needs is there from now on
        local held, file = {}, io.open("/dev/null")
        while file do
          held[#held + 1] = file
          file = io.open("/dev/null")
        end
        local reply, err = client:chat(hello)
        print(reply, err.kind, err.attempts, err)
      ]]):format(key), "ulimit -n 60;")
      assert.matches("^nil%s+connection%s+2%s.*Too many open files", text)
    end
  end)
end)
