-- The loop: its descriptor, its budget and fairness, and what happens when things are closed or dropped.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local deaf_server = require("spec.deaf").start
local lockstep = require "spec.lockstep"
local support = require "spec.support"

local function stream_request(text, fault)
  return {
    messages = { { role = "user", content = text or "Count to 9" } }, stream = true,
    headers = fault and { ["X-Dev-Fault"] = fault } or nil,
  }
end

local function drain(stream)
  local count, chunk, err = 0, stream:next()
  while chunk do
    count = count + 1
    chunk, err = stream:next()
  end
  return count, err
end

local CHUNK = "data: " .. support.delta('"delta":{"content":"x"}') .. "\n\n"

describe("the loop", function()
  local gateway = support.gateway({ delay = 0.01 })
  local loop, client

  before_each(function()
    loop = llm.new_loop()
    client = llm.new({ base_url = gateway.url, api_key = "gw_dev", loop = loop, max_retries = 0 })
  end)

  after_each(function() loop:close() end)

  local function stats()
    return assert(client:request({ method = "GET", path = "/~stats" }))
  end

  it("has one descriptor, where there is epoll", function()
    local fd = loop:fd()
    assert.equal((os.getenv("SPEC_BUILD") or ""):find("poll") == nil, fd ~= nil)
  end)

  it("says whether work is pending, and when it becomes busy and idle", function()
    local said = {}
    loop.on_busy = function() table.insert(said, "busy") end
    loop.on_idle = function() table.insert(said, "idle") end
    assert.is_false(loop:pending())
    assert.is_false(loop:step(1))
    loop:spawn(function() loop:sleep(0.001) end)
    assert.is_true(loop:pending())
    while loop:step() do assert.is_true(loop:pending()) end
    assert.same({ "busy", "idle" }, said)
  end)

  local function work(seconds)
    local done = core.now() + seconds
    repeat until core.now() >= done
  end

  it("keeps a budget to within one chunk, and one step starves nobody #timed", function()
    local counts = {}
    for i = 1, 5 do
      counts[i] = 0
      loop:spawn(function()
        local stream = assert(client:chat(stream_request(nil, "flood;size=3000000")))
        local chunk = stream:next()
        while chunk do
          counts[i] = counts[i] + 1
          if counts[i] <= 1600 and counts[i] % 20 == 0 then work(0.003) end
          chunk = stream:next()
        end
      end)
    end
    local over, steps, started, checked = 0, 0, os.clock(), false -- processor time: others may have the processors too
    while loop:step(0, 0.002) do
      if os.clock() - started > 0.012 then over = over + 1 end
      steps = steps + 1
      if not checked and math.max(counts[1], counts[2], counts[3], counts[4], counts[5]) > 5000 then
        checked = true
        for i = 1, 5 do assert.is_true(counts[i] > 0, "stream " .. i .. " has had no turn") end
      end
      started = os.clock()
    end
    for i = 1, 5 do assert.is_true(counts[i] > 10000) end
    assert.is_true(over <= 3, ("%d of %d steps were late"):format(over, steps))
  end)

  it("resumes no further task once its budget is used up, but one in each step", function()
    local count = 0
    for _ = 1, 5 do
      loop:spawn(function()
        work(0.003)
        count = count + 1
      end)
    end
    for i = 1, 5 do
      loop:step(0, 0.001)
      assert.equal(i, count)
    end
  end)

  it("hands a task no further chunk once its budget is used up", function()
    local body = CHUNK:rep(100) .. "data: [DONE]\n\n"
    local own = support.answering(gateway, body, { type = "text/event-stream" }):with({ loop = loop })
    local stream = llm.assert(own:chat(stream_request()))
    stream:next()
    local count = 0
    local reader = loop:spawn(function()
      for _ = 1, 10 do
        assert(stream:next())
        count = count + 1
        work(0.003)
      end
    end)
    local most = 0
    while reader:status() ~= "done" do
      local before = count
      loop:step(0, 0.001)
      most = math.max(most, count - before)
    end
    assert.equal(1, most)
  end)

  it("runs a slow consumer beside fast ones in bounded memory", function()
    local slow_ended = false
    loop:run(function()
      local slow = loop:spawn(function()
        local stream = assert(client:chat(stream_request(nil, "flood;size=20000000")))
        for _ = 1, 20 do
          stream:next()
          loop:sleep(0.005)
        end
        stream:close()
        slow_ended = true
      end)
      assert.equal(11, (drain(assert(client:chat(stream_request())))))
      slow:join()
    end)
    assert.is_true(slow_ended)
  end)

  it("lets a stream go from one task to another", function()
    loop:run(function()
      local stream = assert(client:chat(stream_request()))
      stream:next()
      local count = loop:spawn(function() return drain(stream) end):join()
      assert.equal(10, count)
      assert.is_nil((stream:next()))
    end)
  end)

  it("refuses two tasks that wait for one stream", function()
    loop:run(function()
      local stream = assert(client:chat(stream_request(nil, "stall")))
      local first = loop:spawn(function() drain(stream) end)
      local second = loop:spawn(function() drain(stream) end)
      local _, err = second:join()
      assert.matches("another task waits", err.message)
      first:cancel()
    end)
  end)

  it("wakes a task whose stream another one closes", function()
    loop:run(function()
      local stream = assert(client:chat(stream_request(nil, "stall")))
      local reader = loop:spawn(function() return select(2, drain(stream)) end)
      loop:sleep(0.01)
      stream:close()
      assert.equal("cancelled", reader:join().kind)
    end)
  end)

  it("ends running tasks with an error when their client is closed", function()
    local reader = loop:spawn(function() return drain(llm.assert(client:chat(stream_request(nil, "stall")))) end)
    local asker = loop:spawn(function() return client:chat({ messages = stream_request().messages,
      headers = { ["X-Dev-Fault"] = "never" } }) end)
    loop:step(0.1)
    loop:step(0.1)
    client:close()
    assert.equal("cancelled", select(2, reader:join()).kind)
    assert.equal("cancelled", select(2, asker:join()).kind)
  end)

  it("ends its tasks, and its streams give errors, when it is closed", function()
    local stream = assert(client:chat(stream_request("Count to 500")))
    local cleaned = false
    local task = loop:spawn(function()
      local other = assert(client:chat(stream_request("Count to 500")))
      drain(other)
    end)
    task:on_done(function() cleaned = true end)
    loop:step(0.1)
    loop:close()
    loop:close()
    assert.is_true(cleaned)
    assert.has_error(function() loop:step(0) end)
    assert.has_error(function() client:health() end)
    local ok, chunk, err = pcall(stream.next, stream)
    assert.is_true(not ok or chunk == nil and err.kind == "cancelled")
  end)

  it("closes the connection of a stream that was dropped", function()
    local other = llm.new({ base_url = gateway.url, api_key = "gw_dev" })
    local before = assert(other:request({ method = "GET", path = "/~stats" })).streams_broken
    do
      local stream = assert(client:chat(stream_request("Count to 500")))
      assert.is_table(stream:next())
    end
    collectgarbage()
    collectgarbage()
    local deadline, broken = core.now() + 5
    repeat broken = assert(other:request({ method = "GET", path = "/~stats" })).streams_broken
    until broken > before or core.now() > deadline
    assert.equal(before + 1, broken)
  end)

  it("uses a connection again, after streams too", function()
    local first = stats().connections
    for _ = 1, 5 do
      drain(assert(client:chat(stream_request("Hi"))))
      while loop:pending() do loop:step() end -- the bytes after [DONE] come a moment later
    end
    assert.equal(first, stats().connections)
  end)

  it("closes a stream's connection although a child process lives", function()
    local before = stats().streams_broken
    local stream = assert(client:chat(stream_request("Count to 500")))
    stream:next()
    local child = io.popen("cat >/dev/null", "w")
    stream:close()
    local deadline, broken = core.now() + 5
    repeat broken = stats().streams_broken until broken > before or core.now() > deadline
    child:close()
    assert.equal(before + 1, broken)
  end)

  local function cpu_seconds(fn)
    local started = os.clock()
    fn()
    return os.clock() - started
  end

  it("is at rest when its last stream has ended or was closed #timed", function()
    for _, fault in ipairs({ "", "stall" }) do
      local stream = assert(client:chat(stream_request("Count to 3", fault ~= "" and fault or nil)))
      for _ = 1, 3 do stream:next() end
      if fault == "" then drain(stream) else stream:close() end
      assert.is_true(cpu_seconds(function() loop:sleep(0.2) end) < 0.1)
    end
    assert(client:chat(stream_request(nil, "stall")))
    client:close()
    assert.is_true(cpu_seconds(function() loop:sleep(0.2) end) < 0.1)
  end)

  it("is at rest while a coroutine inside a task waits #timed", function()
    loop:spawn(function()
      coroutine.wrap(function() drain(assert(client:chat(stream_request("Count to 40")))) end)()
    end)
    assert.is_true(cpu_seconds(function() while loop:step() do loop:pending() end end) < 0.2)
  end)

  it("lets a descriptor's host rest when the work is done", function()
    if not loop:fd() then return end
    local function readable(seconds)
      return type(require("cqueues").poll({ pollfd = loop:fd(), events = "r" }, seconds)) == "table"
    end
    drain(assert(client:chat(stream_request("Count to 3"))))
    local steps = 0
    while readable(0.15) and steps < 50 do
      steps = steps + 1
      loop:step(0)
    end
    assert.is_true(steps < 20, steps .. " steps")
    local forgotten = assert(client:chat(stream_request(nil, "stall")))
    assert.is_true(loop:pending() and forgotten ~= nil)
    forgotten = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_true(readable(1), "a host would wait for ever")
    assert.is_false(loop:step(0))
  end)

  it("closes under its streams, which say so, and tells its host", function()
    local idle = 0
    loop.on_idle = function() idle = idle + 1 end
    local read, unread = assert(client:chat(stream_request(nil, "stall"))), assert(client:chat(stream_request()))
    read:next()
    loop:close()
    assert.equal(1, idle)
    assert.equal("cancelled", select(2, read:next()).kind)
    unread:close()
    assert.equal("cancelled", select(2, unread:next()).kind)
  end)

  it("is collected with its tasks", function()
    local forgotten = setmetatable({}, { __mode = "v" })
    for i = 1, 5 do
      local own = llm.new_loop()
      own:spawn(function() own:sleep(9) end)
      own:step(0)
      forgotten[i] = own
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(forgotten))
  end)

  -- Whatever Lua allocates may start a collection, and with it a finalizer of the program's.
  it("and its streams may be closed by finalizers at any moment", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    local named = ("event: delta\n" .. CHUNK):rep(400)
    local own = support.answering(gateway, named, { type = "text/event-stream" })
    local usual = collectgarbage("setpause", 0) -- one collection after the other
    for _ = 1, 20 do
      local stream = assert(own:request({ path = "/v1/events", stream = true }))
      setmetatable({}, { __gc = function() stream:close() end })
      drain(stream)
    end
    for _ = 1, 200 do
      local brief = llm.new_loop()
      local hasty = client:with({ loop = brief })
      setmetatable({}, { __gc = function() brief:close() end })
      pcall(hasty.health, hasty)
      brief:close()
    end
    collectgarbage("setpause", usual)
  end)

  -- What a finalizer takes is its own, and what was being handed over comes whole.
  it("and its streams may be read by finalizers at any moment", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    local sse = require "llm_gateway.sse"
    local usual = collectgarbage("setstepmul", 1000000) -- a step of the collector is a whole collection
    for round = 1, 3 do
      local parser, seen, count = sse.new({}), {}, 0
      for i = 1, 60 do
        local text = ("%d."):format(i):rep(40 + round)
        parser:feed(("event: n%s\nid: i%s\ndata: d%s\n\n"):format(text, text, text))
      end
      local function take()
        local event = parser:next()
        if not event then return false end
        assert.same({ event.data:sub(2), event.data:sub(2) }, { event.event:sub(2), event.id:sub(2) })
        assert.is_nil(seen[event.data])
        seen[event.data], count = true, count + 1
        return true
      end
      local function arm() -- the next thing that Lua allocates starts a collection
        collectgarbage("stop")
        setmetatable({}, { __gc = function() take() end })
        collectgarbage("restart")
      end
      repeat arm() until not take()
      collectgarbage()
      repeat until not take()
      assert.equal(60, count)
    end
    collectgarbage("setstepmul", usual)
  end)

  it("forgives the time in which nobody drove it", function()
    local hurried = client:with({ timeout = 0.1 })
    local stream = assert(hurried:chat(stream_request("Count to 20")))
    local until_then = os.clock() + 0.3
    while os.clock() < until_then do stream:info() end
    assert.equal(22, (drain(stream)))
  end)

  local function wait_undriven(seconds)
    os.execute("sleep " .. seconds)
  end

  -- A stream of two chunks with so many seconds between them.
  local function with_a_gap(seconds, options)
    options.loop = loop
    local head = support.answer(CHUNK, { type = "text/event-stream", length = false })
    local last = "data: " .. support.delta('"delta":{},"finish_reason":"stop"') .. "\n\n"
    local own = support.scripted(gateway, { head, { delay = seconds }, { send = last } }, options)
    return assert(own:chat(stream_request()))
  end

  it("does not take for silence what it did not see #timed", function()
    for _, undriven in ipairs({ 0.25, 0.45, 1.2 }) do
      local stream = with_a_gap(undriven + 0.2, { timeout = 0.4 })
      assert(stream:next())
      wait_undriven(undriven)
      assert(stream:next())
      assert.is_nil((stream:next()))
    end
  end)

  it("forgives undriven time when a new call comes first #timed", function()
    local stream = with_a_gap(1.5, { timeout = 0.5 })
    assert(stream:next())
    drain(assert(client:chat(stream_request("Hi")))) -- its connection drains
    wait_undriven(1.2)
    assert(client:health())
    assert(stream:next())
  end)

  it("does not lengthen a clock by the time before its call #timed", function()
    local deaf = deaf_server()
    assert(client:health({ timeout = 0.1 }))
    wait_undriven(1.3)
    local started = core.now()
    local _, err = client:with({ base_url = deaf.url, connect_timeout = 0.2, insecure = true }):health()
    assert.matches("connect_timeout", err.message)
    assert.is_true(core.now() - started < 1)
    deaf:close()
  end)

  it("has libcurl count no undriven time for a connection either #timed", function()
    local deaf = deaf_server()
    local hurried = client:with({ base_url = deaf.url, connect_timeout = 0.4, insecure = true })
    local task = loop:spawn(function() return hurried:health() end)
    for _ = 1, 3 do loop:step(0) end
    wait_undriven(0.8)
    local started = core.now()
    assert.matches("connect_timeout", select(2, task:join()).message)
    assert.is_true(core.now() - started > 0.2)
    deaf:close()
  end)

  it("judges clocks beside a busy stream, however small the budget #timed", function()
    local ended
    loop:spawn(function()
      local stream = assert(client:with({ timeout = 0.2 }):chat(stream_request(nil, "stall")))
      ended = select(2, drain(stream))
    end)
    loop:spawn(function() drain(assert(client:chat(stream_request(nil, "heartbeat;every=0.001")))) end)
    local started = core.now()
    while not ended and core.now() - started < 3 do loop:step(0, 0) end
    assert.equal("timeout", ended.kind)
    assert.is_true(core.now() - started < 1)
  end)

  it("waits for a name that hangs no longer than its clock", function()
    local started = core.now()
    local reply, err = llm.new({ base_url = "http://name.invalid", connect_timeout = 0.2, max_retries = 0 }):health()
    assert.is_nil(reply)
    assert.is_true(err.kind == "connection" or err.kind == "timeout")
    assert.is_true(core.now() - started < 1)
  end)

  it("shows a host that a task was spawned", function()
    if not loop:fd() then return end
    local function is_readable()
      return type(require("cqueues").poll({ pollfd = loop:fd(), events = "r" }, 0.02)) == "table"
    end
    while is_readable() do loop:step(0) end
    loop:spawn(function() end)
    assert.is_true(is_readable())
  end)

  it("shows a host that a task can go on, when that came while another loop's task slept here", function()
    if not loop:fd() then return end
    local chunk
    loop:spawn(function() chunk = assert(client:chat(stream_request(nil, "stall"))):next() end)
    loop:step(0)
    local other = llm.new_loop()
    other:run(function()
      coroutine.wrap(function() loop:sleep(0.3) end)()
    end)
    assert.is_nil(chunk)
    assert.is_table(require("cqueues").poll({ pollfd = loop:fd(), events = "r" }, 0.2))
    loop:step(0)
    assert.is_table(chunk)
    other:close()
  end)

  it("shows a host what was ended outside of a step #apart #long", function()
    local pipe = assert(io.popen(lockstep.build_with_core("descriptor", "spec/native/descriptor.c") .. " 2>&1"))
    assert.equal("ok\n", pipe:read("*a"))
    pipe:close()
  end)

  it("knows two connections with one local port by their other ends #apart #long", function()
    local pipe = assert(io.popen(lockstep.build_with_core("sockets", "spec/native/sockets.c") .. " 2>&1"))
    assert.equal("ok\n", pipe:read("*a"))
    pipe:close()
  end)
end)

describe("a call in a task that cannot yield", function()
  local client
  local gateway = support.gateway()

  before_each(function() client = support.client(gateway) end)

  -- Runs fn where no coroutine may yield, in a task, beside another task that must stand still meanwhile.
  local function count_calls(fn)
    local before = assert(client:request({ method = "GET", path = "/~stats" })).requests
    local reply, other_ran
    llm.run(function()
      llm.spawn(function() other_ran = true end)
      reply = fn()
      assert.is_nil(other_ran)
    end)
    return reply, assert(client:request({ method = "GET", path = "/~stats" })).requests - before
  end

  local function ask() return client:chat(support.ask("What is 1 times 2?")) end

  it("is sent once and returns its answer, inside gsub", function()
    local reply, calls = count_calls(function()
      local found
      string.gsub("x", "x", function() found = assert(ask()) end)
      return found
    end)
    assert.equal("1 * 2 = 2", reply:text())
    assert.equal(1, calls)
  end)

  it("is sent once and returns its answer, inside table.sort", function()
    local reply, calls = count_calls(function()
      local found
      table.sort({ 1, 2 }, function(a, b)
        found = found or assert(ask())
        return a < b
      end)
      return found
    end)
    assert.equal("1 * 2 = 2", reply:text())
    assert.equal(1, calls)
  end)

  it("is sent once and returns its answer, inside metamethods", function()
    local function asked() return assert(ask()):text() end
    local function compared() return asked() == "1 * 2 = 2" end
    local class = {
      __index = function(_, name) return name .. asked() end,
      __newindex = function(t, name) rawset(t, name, asked()) end,
      __add = function() return (asked()) end, __concat = function(_, _) return (asked()) end,
      __lt = function(_, _) return (compared()) end, __eq = function(_, _) return (compared()) end,
    }
    local a, b = setmetatable({}, class), setmetatable({}, class)
    for what, use in pairs({
      index = function() return a.x end, add = function() return a + 1 end, add_right = function() return 1 + a end,
      concat = function() return "x" .. a end, lt = function() return tostring(a < b) end,
      eq = function() return tostring(a == b) end, newindex = function() a.y = 1 return rawget(a, "y") end,
    }) do
      local before = assert(client:request({ method = "GET", path = "/~stats" })).requests
      local found = llm.run(function() return use() end)
      assert.matches(({ lt = "true", eq = "true" })[what] or "1 %* 2 = 2", found, what)
      assert.equal(1, assert(client:request({ method = "GET", path = "/~stats" })).requests - before, what)
    end
  end)

  -- PUC 5.1 forgets a function that ended in a tail call: there it raises, but has not sent anything then.
  it("is sent once and returns its answer, or is not sent, inside a metamethod that ends in a tail call", function()
    local a = setmetatable({}, { __index = function() return ask() end })
    local before = assert(client:request({ method = "GET", path = "/~stats" })).requests
    local ok, found = pcall(llm.run, function()
      local reply = a.x
      return assert(reply):text()
    end)
    local calls = assert(client:request({ method = "GET", path = "/~stats" })).requests - before
    assert.matches(ok and "1 %* 2 = 2" or "attempt to yield across", tostring(found))
    assert.equal(ok and 1 or 0, calls)
  end)

  it("lets the others go on in a function without a name", function()
    local other_ran
    llm.run(function()
      llm.spawn(function() other_ran = true end)
      assert((function(client_again) return (client_again:chat(support.ask("What is 1 times 2?"))) end)(client))
      assert.is_true(other_ran)
    end)
  end)

  it("streams to its end, and sleeps", function()
    local text = ""
    llm.run(function()
      string.gsub("x", "x", function()
        local stream = assert(client:chat(support.ask("Count to 3", { stream = true })))
        llm.sleep(0.001)
        local chunks = support.drain(stream)
        text = #chunks
      end)
    end)
    assert.is_true(text > 3)
  end)

  it("raises where only other tasks could bring the answer", function()
    local ok, why
    llm.run(function()
      local other = llm.spawn(function() llm.sleep(0.001) end)
      string.gsub("x", "x", function() ok, why = pcall(other.join, other) end)
      other:join()
    end)
    assert.is_false(ok)
    assert.matches("join cannot be called inside a task", why)
  end)
end)

describe("a loop's callbacks", function()
  it("cannot leave a step half done by yielding", function()
    local loop, failed = llm.new_loop(), nil
    loop.on_error = function(err) failed = err end
    loop:spawn(function() end):on_done(function() coroutine.yield() end)
    coroutine.wrap(function() loop:step(0) end)()
    assert.matches("yield", tostring(failed))
    local ran
    loop:spawn(function() ran = true end)
    loop:step(0)
    assert.is_true(ran)
    loop:close()
  end)

  it("that ask for a task's end hear its failure", function()
    local loop, reported, heard = llm.new_loop(), 0, nil
    loop.on_error = function() reported = reported + 1 end
    loop:spawn(function() error("it failed", 0) end):on_done(function(_, err) heard = err end)
    loop:run(function() loop:spawn(function() error("this too", 0) end):on_done(function() end) end)
    loop:step(0)
    assert.equal("it failed", heard.message)
    assert.equal(0, reported)
    loop:close()
  end)
end)

describe("a host's attachments", function()
  local host = require "llm_gateway.loop.host"
  local loops = require "llm_gateway.loop"

  it("share one adapter, which closes with the last of them", function()
    local loop, said = llm.new_loop(), {}
    local function note(word) return function() table.insert(said, word) end end
    local function make() return { busy = note("busy"), idle = note("idle"), close = note("closed") } end
    local record = loops.record_of(loop)
    local first, second = host.attach(record, "key", make), host.attach(record, "key", make)
    loop:run(function() end)
    first.close()
    first.close()
    loop:run(function() end)
    second.close()
    loop:run(function() end)
    assert.same({ "busy", "idle", "busy", "idle", "closed" }, said)
    loop:close()
  end)

  -- libuv calls back as long as the descriptor is readable, and Neovim runs what is scheduled later.
  it("on luv poll no more until the step that they have scheduled has run", function()
    local polls, scheduled, callback = 0, {}, nil
    local handle = {}
    function handle.is_closing() return false end
    function handle.start(_, ...)
      polls, callback = polls + 1, select(select("#", ...), ...)
    end
    function handle.stop() callback = nil end
    handle.close = handle.stop
    local uv = { new_poll = function() return handle end, new_timer = function() return handle end }
    local loop = llm.new_loop()
    local attachment = require("llm_gateway.loop.luv").attach({
      uv = uv, loop = loop, schedule = function(step) table.insert(scheduled, step) end,
    })
    loop:spawn(function() loop:sleep(60) end)
    assert.equal(1, polls)
    callback()
    assert.is_nil(callback)
    assert.equal(1, #scheduled)
    scheduled[1]()
    assert.is_function(callback)
    assert.equal(2, polls)
    attachment.close()
    loop:close()
  end)
end)
