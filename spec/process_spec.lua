-- What a process may do to a client: fork, hang in a name lookup, end with everything in flight.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local support = require "spec.support"

-- Runs a Lua script in a process of its own. Returns its exit status and what it printed.
local function run(script, environment, wrapper)
  local path = support.file(script)
  local command = "LUA_CPATH=\"$PWD/build/spec/?.so;$LUA_CPATH\" %s timeout 60 %s lua5.4 %s 2>&1; echo status $?"
  local text = support.output_of(command:format(environment or "", wrapper or "", path))
  os.remove(path)
  return tonumber(text:match("status (%d+)%s*$")), text
end

local function build(name)
  local command = "mkdir -p build/spec && gcc -shared -fPIC -o build/spec/%s.so spec/native/%s.c"
    .. " $(pkg-config --cflags lua5.4)"
  assert(os.execute(command:format(name, name)))
end

describe("a process #apart", function()
  local preamble

  local gateway = support.gateway({ delay = 0.01 }, function(gateway)
    preamble = ([[
      local llm = require "llm_gateway"
      local client = llm.new{ base_url = %q, api_key = "gw_dev", max_retries = 0 }
      local hi = { messages = { { role = "user", content = "Count to 300" } }, stream = true }
    ]]):format(gateway.url)
  end)

  setup(function()
    build("fork")
    build("hang")
    build("several")
    build("full")
    build("interrupted")
    os.execute("mkdir -p build/spec/spec && cp build/spec/fork.so build/spec/spec/fork.so")
  end)

  it("may end with everything in flight", function()
    local status, text = run(preamble .. [[
      for i = 1, 5 do _G["s" .. i] = assert(client:chat(hi)) end
      for _ = 1, 5 do llm.spawn(function() for _ in assert(client:chat(hi)) do end end) end
      llm.step(0.05) llm.step(0.05)
      print("end")
    ]])
    assert.equal(0, status, text)
    assert.matches("^end", text)
  end)

  it("may fork: the child's verbs say so, and the parent goes on", function()
    local status, text = run(preamble .. [[
      local process = require "spec.fork"
      local stream = assert(client:chat(hi))
      stream:next()
      local pid = process.fork()
      if pid == 0 then
        local ok, err = pcall(client.health, client)
        local told = not ok and tostring(err):find("fork") ~= nil
        local ok2 = pcall(stream.next, stream)
        local task = llm.spawn(function() return llm.sleep(9) end)
        stream:info()
        stream:close()
        client:close()
        task:cancel()
        llm.loop():close()
        stream, client = nil, nil
        collectgarbage() collectgarbage()
        local fresh = llm.new{ base_url = os.getenv("URL"), api_key = "gw_dev", loop = llm.new_loop() }
        local well = fresh:health()
        process.exit(told and not ok2 and well and 0 or 1)
      end
      print("child", process.wait(pid))
      local count = 1
      for _ in stream do count = count + 1 if count == 50 then break end end
      print("chunks", count, client:health().status)
    ]], "URL=" .. gateway.url)
    assert.equal(0, status, text)
    assert.matches("child%s0", text)
    assert.matches("chunks%s50%s+healthy", text)
  end)

  it("goes on while a name lookup hangs, cancels it, and ends", function()
    local status, text = run([[
      local llm = require "llm_gateway"
      local core = require "llm_gateway.core"
      local client = llm.new{ base_url = "http://hang.example", max_retries = 0 }
      local task = llm.spawn(function() return client:health() end)
      local longest, last, stop = 0, core.now(), core.now() + 0.3
      while core.now() < stop do
        llm.step(0)
        longest = math.max(longest, core.now() - last)
        last = core.now()
      end
      task:cancel()
      local _, err = task:join()
      local started = core.now()
      local _, timeout = client:with{ connect_timeout = 0.1 }:health()
      print(err.kind, longest < 0.25, timeout.kind, core.now() - started < 1)
    ]], "LD_PRELOAD=build/spec/hang.so")
    assert.equal(0, status, text)
    assert.matches("cancelled%s+true%s+timeout%s+true", text)
  end)

  it("reaches a host whose first address is dead", function()
    local status, text = run([[
      local llm = require "llm_gateway"
      local core = require "llm_gateway.core"
      local started = core.now()
      local client = llm.new{ base_url = os.getenv("URL"), connect_timeout = 1, max_retries = 0, proxy = false }
      local reply, err = client:health()
      print(reply and reply.status or err, core.now() - started < 2)
    ]], "LD_PRELOAD=build/spec/several.so URL=" .. gateway.url:gsub("127%.0%.0%.1", "two.example"))
    assert.equal(0, status, text)
    assert.matches("healthy%s+true", text)
  end)

  it("goes on where the kernel has no room to watch a socket", function()
    local status, text = run(preamble .. [[
      local texts = llm.run(function()
        return llm.map({ 1, 2, 3, 4, 5, 6 }, function(i)
          local request = { messages = { { role = "user", content = "What is 7 times " .. i .. "?" } }, stream = true,
            headers = { ["X-Dev-Fault"] = "slow;seconds=0.7" }, timeout = 5 } -- later than libcurl looks by itself
          return llm.assert(llm.assert(client:chat(request)):collect()):text()
        end)
      end)
      for i = 1, 6 do print(texts[i]) end
    ]], "LD_PRELOAD=build/spec/full.so")
    assert.equal(0, status, text)
    for i = 1, 6 do assert.truthy(text:find(tostring(7 * i), 1, true), text) end
  end)

  it("has heard what came before a signal ended its wait", function()
    local status, text = run([[
      local llm = require "llm_gateway"
      local client = llm.new{ base_url = os.getenv("URL"), api_key = "gw_dev", max_retries = 0 }
      assert(client:health())
      local reply, err = client:chat{ total_timeout = 0.5,
        messages = { { role = "user", content = "hi" } }, headers = { ["X-Dev-Fault"] = "slow;seconds=0.3" },
      }
      print(reply and "heard" or err)
    ]], "LD_PRELOAD=build/spec/interrupted.so URL=" .. gateway.url)
    assert.equal(0, status, text)
    assert.matches("^heard", text)
  end)

  it("leaks nothing of ours, says valgrind, with 200 tasks cancelled at random", function()
    local there = os.execute("command -v valgrind >/dev/null")
    if not there then
      pending("valgrind is missing")
      return
    end
    local status, text = run(preamble .. [[
      math.randomseed(1)
      local tasks = {}
      for i = 1, 200 do
        tasks[i] = llm.spawn(function() for _ in assert(client:chat(hi)) do end end)
        if i % 20 == 0 then llm.step(0.01) end
        if math.random() < 0.7 then tasks[math.random(i)]:cancel() end
      end
      for _ = 1, 20 do llm.step(0.01) end
      for i = 1, 200 do tasks[i]:cancel() end
      for i = 1, 200 do tasks[i]:join() end
      client:close()
      llm.loop():close()
      print("end")
    ]], nil, "valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite")
    assert.equal(0, status, text)
    assert.matches("end", text)
  end)
end)
