-- The four clocks: which one ran out, and how late.
local core = require "llm_gateway.core"
local deaf_server = require("spec.deaf").start
local llm = require "llm_gateway"
local lockstep_server = require "spec.lockstep_server"
local support = require "spec.support"

local LATE = 0.05 -- seconds that a clock may be late by

describe("the clocks #timed", function()
  local client
  local gateway = support.gateway({ delay = 0.01 }, function(gateway) client = support.client(gateway) end)

  local function timed(fault, options)
    options.messages = { { role = "user", content = "Count to 12" } }
    options.headers = { ["X-Dev-Fault"] = fault }
    local started = core.now()
    local reply, err = client:chat(options)
    if reply and options.stream then reply, err = reply:collect() end
    assert.is_nil(reply)
    return err, core.now() - started
  end

  local function within(limit, seconds)
    assert.is_true(seconds >= limit - 0.002 and seconds < limit + 0.05, ("%g s for %g s"):format(seconds, limit))
  end

  it("tell silence before the head", function()
    local err, seconds = timed("never", { timeout = 0.1 })
    assert.equal("timeout", err.kind)
    assert.matches("0.1 s %(timeout%)", err.message)
    within(0.1, seconds)
  end)

  it("tell silence inside a stream, with what came", function()
    local err, seconds = timed("stall", { timeout = 0.1, stream = true })
    assert.equal("timeout", err.kind)
    assert.matches("^1", err.partial)
    within(0.1, seconds)
  end)

  it("tell a stream of heartbeats from one of events", function()
    local err, seconds = timed("heartbeat", { event_timeout = 0.15, timeout = 5, stream = true })
    assert.equal("timeout", err.kind)
    assert.matches("event_timeout", err.message)
    within(0.15, seconds)
  end)

  it("of events are for streams alone", function()
    assert(support.faulty(gateway, "slow;seconds=0.3"):chat(support.ask("x", { event_timeout = 0.1 })))
  end)

  it("bound the whole", function()
    local err, seconds = timed("heartbeat;every=0.03", { total_timeout = 0.15, stream = true })
    assert.equal("timeout", err.kind)
    assert.matches("total_timeout", err.message)
    within(0.15, seconds)
    local drops = { { send = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\n" } }
    for i = 1, 40 do drops[i + 1] = i % 2 == 0 and { send = "x" } or { delay = 0.03 } end
    local started = core.now()
    err = select(2, support.scripted(gateway, drops, { total_timeout = 0.15 }):chat(support.ask("x")))
    assert.matches("total_timeout", err.message)
    within(0.15, core.now() - started)
  end)

  -- libcurl has a clock of its own for that, which is a tenth late.
  it("tell that no connection was made", function()
    local deaf = deaf_server()
    local started = core.now()
    local reply, err = client:with({ base_url = deaf.url, connect_timeout = 0.9 }):health()
    assert.is_nil(reply)
    assert.equal("timeout", err.kind)
    assert.matches("0.9 s %(connect_timeout%): is the host reachable", err.message)
    within(0.9, core.now() - started)
    deaf:close()
  end)

  it("may be set for a client and for a request", function()
    for clock, fault in pairs({ timeout = "never", event_timeout = "heartbeat", total_timeout = "heartbeat" }) do
      local own = client:with({ [clock] = 0.07 })
      local request = { messages = { { role = "user", content = "hi" } }, headers = { ["X-Dev-Fault"] = fault } }
      request.stream = fault == "heartbeat"
      local reply, err = own:chat(request)
      if reply then reply, err = reply:collect() end
      assert.is_nil(reply)
      assert.matches("0.07 s.*" .. clock, err.message)
      request[clock] = 0.03
      reply, err = own:chat(request)
      if reply then reply, err = reply:collect() end
      assert.is_nil(reply)
      assert.matches("0.03 s.*" .. clock, err.message)
    end
  end)

  -- A bare timer is late too when the processor has other things to do: the two are compared, in one run. (The first
  -- TLS connection of a loop reads the system's authorities, tens of milliseconds in which no other can be made: the
  -- deaf server's is not verified.)
  it("are as exact as a bare timer, with thirty streams beside them", function()
    local LENGTH, deaf = 0.3, deaf_server()
    local took, busy = {}, true
    local forty = { messages = { { role = "user", content = "Count to 40" } }, stream = true }
    local waits = {
      bare = function() llm.sleep(LENGTH) end,
      connect = function()
        client:with({ base_url = deaf.url, connect_timeout = LENGTH, insecure = true }):health()
      end,
      silence = function() timed("never", { timeout = LENGTH }) end,
      event = function() timed("heartbeat", { event_timeout = LENGTH, stream = true }) end,
      total = function() timed("heartbeat", { total_timeout = LENGTH, stream = true }) end,
    }
    llm.run(function()
      for _ = 1, 30 do
        llm.spawn(function()
          while busy do
            llm.assert(llm.assert(client:chat(forty)):collect())
          end
        end)
      end
      llm.sleep(0.1) -- until they all run
      local waiting = {}
      for name, wait in pairs(waits) do
        waiting[name] = llm.spawn(function()
          local started = core.now()
          wait()
          took[name] = core.now() - started
        end)
      end
      for _, task in pairs(waiting) do task:join() end
      busy = false
    end)
    deaf:close()
    for name in pairs(waits) do
      local seconds = took[name] or 0
      assert.is_true(seconds >= LENGTH - 0.002 and seconds <= took.bare + LATE,
        ("%s: %.3f s, a bare timer: %.3f s"):format(name, seconds, took.bare))
    end
  end)

  it("take no drop of a head for silence", function()
    if not io.open("/proc/self/status") then return end -- only Linux tells when the last byte came
    local steps = { { send = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\nX-Long: " } }
    for _ = 1, 12 do
      table.insert(steps, { delay = 0.04 })
      table.insert(steps, { send = "drop" })
    end
    table.insert(steps, { send = "\r\n\r\n{}" })
    assert(support.scripted(gateway, steps, { timeout = 0.15 }):health())
    table.insert(steps, 6, { hold = true })
    local started = core.now()
    local _, err = support.scripted(gateway, steps, { timeout = 0.15 }):health()
    assert.equal("timeout", err.kind)
    within(0.15 + 2 * 0.04, core.now() - started)
  end)

  local HEAD = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n\r\n"

  local function event_of(bytes)
    local empty = #support.delta('"delta":{"content":""}')
    return "data: " .. support.delta(('"delta":{"content":"%s"}'):format(("x"):rep(bytes - empty))) .. "\n\n"
  end

  -- The 64 events are a little more than a transfer holds: what comes behind them waits in libcurl.
  it("stand still while nobody reads a stream, and begin anew when somebody does", function()
    local steps = { { send = HEAD .. event_of(1000):rep(64) }, { send = ":" .. ("c"):rep(100000) .. "\n\n" },
      { delay = 0.75 }, { send = event_of(100) .. "data: [DONE]\n\n" } }
    for _, clock in ipairs({ "timeout", "event_timeout" }) do
      local own = support.scripted(gateway, steps, { [clock] = 0.3 })
      local stream = llm.assert(own:chat(support.ask("x", { stream = true })))
      local started = core.now()
      while core.now() - started < 0.6 do llm.step(0.02) end
      local chunks, err = support.drain(stream)
      assert.is_nil(err)
      assert.equal(65, #chunks)
    end
  end)

  -- A script's output whose process is stopped for a while, in its middle.
  local function run_stopped(script, before, stopped)
    local path = support.file(script)
    local text = support.output_of(("%s %s 2>&1 & p=$!; sleep %g; kill -STOP $p; sleep %g; kill -CONT $p; wait $p")
      :format(os.getenv("SPEC_LUA") or "lua5.4", path, before, stopped))
    os.remove(path)
    return text
  end

  it("do not run while the process is stopped #apart", function()
    local script = [[
      local llm = require "llm_gateway"
      local client = llm.new{ base_url = %q, api_key = "gw_dev", timeout = 0.6, max_retries = 0 }
      local request = { messages = { { role = "user", content = "Count to 30" } }, stream = true }
      if %s then client:with{ timeout = 5 }:health() llm.loop():fd() end
      local stream = llm.assert(client:chat(request))
      local reply, err = stream:collect()
      print(reply and "whole" or err)
    ]]
    for _, watched in ipairs({ "false", "true" }) do
      local slow = support.start({ delay = 0.03 })
      local text = run_stopped(script:format(slow.url, watched), 0.5, 1.5)
      slow:stop()
      assert.equal("whole\n", text)
    end
  end)

  it("do not run while the process is stopped, whatever comes then #apart", function()
    local text = support.run(([[
      local llm = require "llm_gateway"
      local client = llm.new{ base_url = %q, api_key = "gw_dev", timeout = 1, max_retries = 0 }
      local pid = io.popen("echo $PPID"):read("*n")
      os.execute(("(sleep 0.5; kill -STOP %%d; sleep 2.5; kill -CONT %%d) &"):format(pid, pid))
      local reply, err = client:chat{
        messages = { { role = "user", content = "hi" } }, headers = { ["X-Dev-Fault"] = "slow;seconds=3.5" },
      }
      print(reply and "heard" or err)
    ]]):format(gateway.url))
    assert.equal("heard\n", text)
  end)

  -- Of two sockets that are ready a step without time reads the first alone, again and again. (The second has
  -- served before: libcurl looks at a new one again after 0.2 s.) Returns how long the answer took to be heard, or its
  -- error.
  local function starved(server)
    local loop, both, answer = server.room.loop, server.room.client, lockstep_server.answer("heard")
    local busy, quiet
    server.act = function(connection)
      busy = connection
      server:send(connection, HEAD .. ": busy\n")
    end
    local reader = loop:spawn(function() support.drain(both:chat(support.ask("x", { stream = true }))) end)
    server:go_on(function() return busy end)
    assert(server:during(function() return both:health() end, function(at) server:send(at, answer) end))
    server.act = function(connection) quiet = connection end
    local reply, err
    local asker = loop:spawn(function() reply, err = both:chat(support.ask("x", { timeout = 0.2 })) end)
    server:go_on(function() return quiet and server.room.peer.unread(busy.peer) == 0 end)
    for _ = 1, 3 do loop:step(0) end -- the kernel forgets which was ready before
    local started = core.now()
    server:send(busy, ": busy\n")
    server:send(quiet, answer)
    while asker:status() ~= "done" and core.now() < started + 2 do
      server:send(busy, ": busy\n")
      loop:step(0, 0)
    end
    reader:cancel()
    return reply and core.now() - started, err
  end

  it("wait until all that came was read, for which a budget gives way", function()
    if not llm.loop():fd() then return end
    for _ = 1, 10 do
      local server = lockstep_server.serve({ timeout = false })
      local seconds, err = starved(server)
      server:close()
      assert.is_nil(err)
      assert.is_number(seconds)
      if seconds > 0.2 then return end
    end
    error("it was read at once each time, which tries nothing")
  end)

  it("do not hold up other tasks", function()
    local slowest = 0
    llm.run(function()
      llm.spawn(function() timed("never", { timeout = 0.2 }) end)
      for _ = 1, 20 do
        local started = core.now()
        assert(client:health())
        slowest = math.max(slowest, core.now() - started)
      end
    end)
    assert.is_true(slowest < 0.1)
  end)

  it("leave no limit where the limit is false", function()
    local endless = client:with({ timeout = false, connect_timeout = false, event_timeout = false })
    assert(endless:chat({ messages = { { role = "user", content = "hi" } } }))
  end)
end)
