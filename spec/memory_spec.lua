-- Memory while streams run, as the system counts it.
local llm = require "llm_gateway"
local lockstep_server = require "spec.lockstep_server"
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
    for _ in flood(size) do
      count = count + 1
      if count % 5000 == 0 then collectgarbage() end -- which may wait until the heap has tripled
    end
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

  -- Streams that wait for their second event, each asked with a text of `bytes`; and by how much they grew the process.
  local function open_streams(count, bytes)
    local streams, before = {}, rss()
    for i = 1, count do
      streams[i] = llm.assert(client:chat({
        messages = { { role = "user", content = ("x"):rep(bytes) } }, stream = true,
        headers = { ["X-Dev-Fault"] = "stall" },
      }))
      assert(streams[i]:next())
      collectgarbage()
    end
    return streams, rss() - before
  end

  for bytes, count in pairs({ [50 * 1024] = 100, [1024 * 1024] = 20 }) do
    it(("holds no copy of what was asked while a stream is open, of %d bytes"):format(bytes), function()
      for _, stream in ipairs((open_streams(3, bytes))) do stream:close() end
      local streams, grown = open_streams(count, bytes)
      assert.is_true(grown < count * bytes / 1024 / 2, ("%d streams grew by %d kB"):format(count, grown))
      for _, stream in ipairs(streams) do stream:close() end
    end)
  end

  -- Blocks of zstd (RFC 8878, 3.1.1.2): bytes as they are, and line ends that are four bytes for 128 KiB.
  local ZSTD, BLANK_LINES = "\40\181\47\253\0\56", "\2\0\16\n"
  local function block(bytes)
    local size = #bytes * 8
    return string.char(size % 256, (size - size % 256) / 256 % 256, (size - size % 65536) / 65536) .. bytes
  end

  local function reads_zstd()
    local _, fields = support.echoed(llm.assert(client:request({ path = "/~echo", body = {} })))
    return fields["accept-encoding"]:find("zstd", 1, true) ~= nil
  end

  -- A stream in zstd of which nobody reads anything while these pieces come, each in reads of its own; and how many
  -- pieces came before the client had enough.
  local function unread_zstd(server, pieces)
    local head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: zstd\r\n\r\n" .. ZSTD
    local stream = llm.assert(server:during(function(own) return own:chat(support.ask("x", { stream = true })) end,
      function(connection) server:send(connection, head .. pieces[1]) end))
    local connection, sent = server.connections[1], 1
    while not connection.over and sent < #pieces do
      sent = sent + 1
      server:send(connection, pieces[sent])
      server:go_on(function() return connection.over or server.room.peer.unread(connection.peer) == 0 end)
    end
    return stream, sent
  end

  local function event_of(bytes)
    local empty = #support.delta('"delta":{"content":""}')
    return "data: " .. support.delta(('"delta":{"content":"%s"}'):format(("x"):rep(bytes - empty))) .. "\n\n"
  end

  -- 13 such events are a little more than a transfer holds: it would pause at what comes next.
  it("stays bounded while a stream stands unread of which a few bytes become many", function()
    if not reads_zstd() then return end
    local server, pieces, before = lockstep_server.serve(), {}, rss()
    for i = 1, 13 do pieces[i] = block(event_of(5100)) end
    table.insert(pieces, BLANK_LINES:rep(400))
    local stream = unread_zstd(server, pieces)
    assert.is_true(rss() - before < 8 * MB, ("grew by %d kB"):format(rss() - before))
    assert(stream:next())
    server:close()
  end)

  it("stays bounded while a stream in zstd stands unread, which ends then", function()
    if not reads_zstd() then return end
    local server, pieces = lockstep_server.serve(), {}
    for i = 1, 60 do pieces[i] = block(event_of(100000)) end
    local stream, sent = unread_zstd(server, pieces)
    assert.is_true(sent < 50, sent .. " pieces")
    local chunks, err = support.drain(stream)
    assert.is_true(#chunks > 35)
    assert.matches("4 MiB of compressed events", err.message)
    server:close()
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
