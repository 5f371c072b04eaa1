-- Memory while streams run, as the system counts it.
local llm = require "llm_gateway"
local support = require "spec.support"

local MB = 1024 -- in /proc's kilobytes

local function rss()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmRSS:%s+(%d+)")
    if kb then return tonumber(kb) end
  end
end

describe("memory #timed", function()
  if not io.open("/proc/self/status") then
    pending("there is no /proc here")
    return
  end
  if (os.getenv("SPEC_BUILD") or ""):find("asan") then return end

  local client

  local gateway = support.gateway({}, function(started)
    client = support.client(started)
    assert(client:chat({ messages = { { role = "user", content = "hi" } } }))
  end)

  local function flood(bytes)
    local stream = llm.assert(client:chat({
      messages = { { role = "user", content = "hi" } }, stream = true,
      headers = { ["X-Dev-Fault"] = ("flood;size=%d"):format(bytes) },
    }))
    return stream
  end

  it("stays within 8 MB through a long stream", function()
    local size = (tonumber(os.getenv("SPEC_STREAM_MB")) or 100) * 2 ^ 20
    collectgarbage()
    local before, count = rss(), 0
    for _ in flood(size) do count = count + 1 end
    assert.is_true(count > 1000)
    assert.is_true(rss() - before < 8 * MB, ("grew by %d kB"):format(rss() - before))
  end)

  it("stays bounded while a stream stands unread", function()
    local before = rss()
    local stream = flood(2 ^ 30)
    for _ = 1, 20 do llm.step(0.01) end
    assert.is_true(rss() - before < 8 * MB, ("grew by %d kB"):format(rss() - before))
    stream:close()
  end)

  it("stays bounded while compressed streams stand unread", function()
    local chunk = "data: " .. support.delta('"delta":{"content":"x"}') .. "\n\n"
    local path = support.file(chunk:rep(100000))
    local body = support.output_of("gzip -9 -n <" .. path)
    os.remove(path)
    local own = support.answering(gateway, body, {
      type = "text/event-stream", headers = { "Content-Encoding: gzip" },
    })
    local streams, before = {}, rss()
    for i = 1, 5 do streams[i] = llm.assert(own:chat(support.ask("x", { stream = true }))) end
    for _ = 1, 20 do llm.step(0.01) end
    assert.is_true(rss() - before < 5 * 2 * MB, ("grew by %d kB"):format(rss() - before))
    for _, stream in ipairs(streams) do stream:close() end
  end)

  -- Tasks of `spawn`, `count` of them one after another, that the collector cannot take. Objects are counted and not
  -- bytes: Lua's own tables double their size when they please.
  local function kept(count, spawn)
    local tasks = setmetatable({}, { __mode = "k" })
    for _ = 1, count do tasks[spawn()] = true end
    collectgarbage()
    collectgarbage()
    local left = 0
    for _ in pairs(tasks) do left = left + 1 end
    return left
  end

  it("is not kept by tasks that failed and were joined, however long they run together", function()
    llm.run(function()
      local left = kept(1000, function()
        local task = llm.spawn(function() error({ "a cause" }, 0) end)
        llm.sleep(0)
        assert.equal("failed", task:status())
        task:join()
        return task
      end)
      assert.is_true(left <= 1, ("%d of 1000 tasks were kept"):format(left))
    end)
  end)

  it("is not kept by short tasks that ended", function()
    local function start() return llm.spawn(function() llm.sleep(0) end) end
    llm.run(function()
      local unfinished = kept(1000, start)
      assert.equal(1000, unfinished)
    end)
    local left
    llm.run(function()
      left = kept(1000, function()
        local task = start()
        task:join()
        return task
      end)
    end)
    assert.is_true(left <= 1, ("%d of 1000 tasks were kept"):format(left))
  end)
end)
