-- Tasks: spawning, joining, cancelling, mapping; blocking and waiting side by side.
local core = require "llm_gateway.core"
local coroutines = require "llm_gateway.loop.coroutines"
local llm = require "llm_gateway"
local support = require "spec.support"

local function question(text)
  return { messages = { { role = "user", content = text } } }
end

local function stream_of(client, text, fault)
  local request = question(text or "Count to 9")
  request.stream = true
  request.headers = fault and { ["X-Dev-Fault"] = fault }
  return client:chat(request)
end

local function read_all(stream)
  local words, chunk, err = {}, stream:next()
  while chunk do
    local choice = chunk.choices[1]
    if choice then table.insert(words, choice.delta.content or "") end
    chunk, err = stream:next()
  end
  return table.concat(words), err
end

describe("tasks", function()
  local client
  local gateway = support.gateway({ delay = 0.02 }, function(gateway) client = support.client(gateway) end)

  -- Waits, driving the loop, until the gateway's counter has the value.
  local function await_stat(name, value)
    local deadline = core.now() + 5
    local stats
    repeat
      stats = assert(client:request({ method = "GET", path = "/~stats" }))
      if stats[name] == value then return true end
    until core.now() > deadline
    return false, stats[name]
  end

  it("run side by side", function()
    local started = core.now()
    local texts = llm.run(function()
      local tasks, all = {}, {}
      for i = 1, 10 do tasks[i] = llm.spawn(function() return read_all(assert(stream_of(client))) end) end
      for i = 1, 10 do all[i] = tasks[i]:join() end
      return all
    end)
    local together = core.now() - started
    for i = 1, 10 do assert.equal("1 2 3 4 5 6 7 8 9", texts[i]) end
    started = core.now()
    read_all(assert(stream_of(client)))
    assert.is_true(together < 5 * (core.now() - started), "ten streams took " .. together)
  end)

  it("are forgotten once they have ended, whatever they waited for", function()
    local forgotten = setmetatable({}, { __mode = "k" })
    for _ = 1, 3 do
      llm.run(function()
        local task = llm.spawn(function() read_all(assert(stream_of(client, "Hi"))) end)
        forgotten[task] = true
        task:join()
      end)
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(forgotten))
  end)

  it("send nothing once they have cancelled themselves", function()
    local task, asked
    local own = client:with({ on_request = function() asked = true end })
    task = llm.spawn(function()
      task:cancel()
      own:chat(question("hi"))
      asked = true
    end)
    assert.equal("cancelled", select(2, task:join()).kind)
    assert.is_nil(asked)
  end)

  it("raise from run what was raised first", function()
    for _ = 1, 5 do
      local ok, err = pcall(llm.run, function()
        for _, ms in ipairs({ 30, 0, 20, 10 }) do
          llm.spawn(function()
            llm.sleep(ms / 1000)
            error("after " .. ms, 0)
          end)
        end
      end)
      assert.same({ false, "after 0" }, { ok, err })
    end
  end)

  it("take the items of their map along when they are cancelled", function()
    local loop = llm.new_loop()
    local mapping = loop:spawn(function() loop:map({ 1, 2, 3 }, function() loop:sleep(60) end) end)
    for _ = 1, 3 do loop:step(0) end
    mapping:cancel()
    assert.equal("cancelled", select(2, mapping:join()).kind)
    for _ = 1, 3 do loop:step(0) end
    assert.is_false(loop:pending())
    loop:close()
  end)

  it("return nothing where nothing was returned", function()
    assert.equal(0, select("#", llm.spawn(function() end):join()))
    assert.equal(0, select("#", llm.run(function() end)))
  end)

  it("return everything from join and run", function()
    local function three() return 1, nil, 3 end
    assert.same({ n = 3, 1, nil, 3 }, { n = select("#", llm.run(three)), llm.run(three) })
    llm.run(function()
      assert.same({ 1, nil, 3 }, { llm.spawn(three):join() })
      assert.same({ 1, nil, 3 }, { llm.spawn(three):join() })
      assert.equal("a", (llm.spawn(function(...) return ... end, "a", "b"):join()))
    end)
  end)

  it("hand over what they raised", function()
    llm.run(function()
      local none, err = llm.spawn(function() error("boom", 0) end):join()
      assert.is_nil(none)
      assert.is_true(llm.is_error(err))
      assert.equal("task", err.kind)
      assert.equal("boom", err.cause)
      assert.matches("boom", err.message)
      assert.matches("traceback", err.traceback)
      local _, same = llm.spawn(function() error(err, 0) end):join()
      assert.equal(err, same)
    end)
  end)

  it("raise from run: fn's error first, else that of a task nobody joined", function()
    local ok, err = pcall(llm.run, function()
      llm.spawn(function() error("child", 0) end)
      error("root", 0)
    end)
    assert.same({ false, "root" }, { ok, err })
    ok, err = pcall(llm.run, function() llm.spawn(function() error("child", 0) end) end)
    assert.same({ false, "child" }, { ok, err })
    llm.run(function() llm.spawn(function() error("joined", 0) end):join() end)
  end)

  it("report a failure outside run once to on_error", function()
    local loop, seen = llm.new_loop(), {}
    loop.on_error = function(err) table.insert(seen, err) end
    loop:spawn(function() error("lost", 0) end)
    while loop:step(0) do loop:step(0) end
    local joined = loop:spawn(function() error("joined", 0) end)
    assert.equal("joined", select(2, joined:join()).cause)
    loop:step(0)
    assert.equal(1, #seen)
    assert.equal("lost", seen[1].cause)
    loop:close()
  end)

  it("wait for their children in run", function()
    local ended = 0
    llm.run(function()
      llm.spawn(function()
        llm.sleep(0.01)
        llm.spawn(function()
          llm.sleep(0.01)
          ended = ended + 1
        end)
        ended = ended + 1
      end)
    end)
    assert.equal(2, ended)
  end)

  it("sleep in the order of their moments", function()
    local order = {}
    llm.run(function()
      for _, ms in ipairs({ 150, 50, 100, 0 }) do
        llm.spawn(function()
          llm.sleep(ms / 1000)
          table.insert(order, ms)
        end)
      end
    end)
    assert.same({ 0, 50, 100, 150 }, order)
  end)

  it("go on while the main program blocks", function()
    local ticks = 0
    local ticker = llm.spawn(function()
      while true do
        llm.sleep(0.005)
        ticks = ticks + 1
      end
    end)
    read_all(assert(stream_of(client)))
    assert.is_true(ticks > 5)
    ticker:cancel()
    assert.equal("cancelled", select(2, ticker:join()).kind)
  end)

  it("do only I/O from a coroutine of the user's own inside a task", function()
    llm.run(function()
      local moved = false
      llm.spawn(function() moved = true end)
      local text = coroutine.wrap(function() return client:chat(question("What is 2 times 3?")):text() end)()
      assert.matches("6", text)
      assert.is_false(moved)
    end)
  end)

  it("resume after a bare yield at the next step", function()
    local seen = {}
    llm.run(function()
      llm.spawn(function()
        coroutine.yield()
        table.insert(seen, "b")
      end)
      llm.spawn(function() table.insert(seen, "a") end)
    end)
    assert.same({ "a", "b" }, seen)
  end)

  it("end though somebody else resumes them to their end, and are told so", function()
    local loop = llm.new_loop()
    for _, wait in ipairs({ coroutine.yield, function() loop:sleep(0.01) end }) do
      local co, told
      local returning = loop:spawn(function()
        co = coroutine.running()
        wait()
        return "the end"
      end)
      returning:on_done(function(value) told = value end)
      loop:step(0)
      local late = core.now() + 0.02
      while core.now() < late do end -- luacheck: ignore 542
      assert(coroutine.resume(co))
      while loop:step() do end
      assert.same({ "done", "the end", "the end" }, { returning:status(), told, returning:join() })
    end
    loop:close()
  end)

  it("fail with what they raised though somebody else resumed them then", function()
    if not coroutines.pcall_can_yield then return end -- 5.1 cannot catch it inside
    local loop, co = llm.new_loop(), nil
    local raising = loop:spawn(function()
      co = coroutine.running()
      coroutine.yield()
      error({ reason = "mine" })
    end)
    loop:step(0)
    assert(coroutine.resume(co))
    local _, err = raising:join()
    assert.equal("mine", err.cause.reason)
    loop:close()
  end)

  it("let the others go on though another task resumed them", function()
    local co
    local seen = {}
    llm.run(function()
      llm.spawn(function()
        co = coroutine.running()
        coroutine.yield()
        table.insert(seen, assert(client:chat(question("What is 1 times 2?"))):text())
      end)
      llm.spawn(function()
        coroutine.resume(co)
        table.insert(seen, "went on")
      end)
    end)
    assert.same({ "went on", "1 * 2 = 2" }, seen)
  end)

  it("end at once though what they raise waits when it is told", function()
    local loop = llm.new_loop()
    local failing = loop:spawn(function()
      error(setmetatable({}, { __tostring = function()
        loop:sleep(0.01)
        return "slept"
      end }))
    end)
    loop.on_error = function() end
    loop:step(0)
    assert.equal("failed", failing:status())
    local _, err = failing:join()
    assert.equal("slept", err.message)
    loop:close()
  end)

  it("may have their loop closed by on_error and by on_busy", function()
    local loop = llm.new_loop()
    loop.on_error = function() loop:close() end
    loop:spawn(function() error("x") end)
    assert.is_false(loop:step(0))
    local busy = llm.new_loop()
    busy.on_busy = function() busy:close() end
    assert.error_matches(function() busy:spawn(function() end) end, "the loop is closed")
    assert.equal("llm_gateway loop (closed)", tostring(busy))
  end)

  it("are misused at the line that says so", function()
    local other = llm.new_loop()
    local here = debug.getinfo(1, "S").short_src:gsub("%p", "%%%0")
    local function raises_here(words, fn)
      local ok, err = pcall(fn)
      assert.is_false(ok)
      assert.matches("^" .. here .. ":%d+: .*" .. words, err)
    end
    local function tie_two_tasks()
      local one, two
      one = other:spawn(function() two:join() end)
      two = other:spawn(function() one:join() end)
      return one
    end
    raises_here("deadlock", function() tie_two_tasks():join() end)
    raises_here("deadlock", function() other:run(tie_two_tasks) end)
    if coroutines.for_can_yield then
      for _, read in pairs({
        texts = function(stream) return stream:texts()() end,
        chunks = function(stream) return (stream()) end,
        events = function(stream) return stream:events()() end,
      }) do
        local stream = assert(stream_of(client))
        other:run(raises_here, "belongs to another loop", function() read(stream) end)
        stream:close()
      end
    end
    other:close()
  end)

  it("tell their status, and call on_done", function()
    local task, during, called = nil, nil, {}
    task = llm.spawn(function()
      during = task:status()
      return 1, 2
    end)
    assert.equal("pending", task:status())
    task:on_done(function(...) called = { ... } end)
    task:join()
    assert.equal("running", during)
    assert.equal("done", task:status())
    assert.same({ 1, 2 }, called)
    local late
    task:on_done(function(value) late = value end)
    assert.equal(1, late)
  end)

  -- Only 5.4 closes what a `for` iterates and what is declared <close>.
  if _VERSION == "Lua 5.4" then
    local closing = assert(load([[
      local on_close, body = ...
      local closer <close> = setmetatable({}, { __close = function(_, err) on_close(err) end })
      return body()
    ]]))

    it("close the stream they iterate when they raise", function()
      local stream
      local task = llm.spawn(function()
        stream = assert(stream_of(client, "Count to 500"))
        for text in stream:texts() do error("seen " .. text, 0) end
      end)
      assert.equal("seen 1", select(2, task:join()).cause)
      assert.equal("cancelled", select(2, stream:next()).kind)
    end)

    it("run <close> when they raise, and it may wait", function()
      local closed
      local task = llm.spawn(closing, function(err)
        llm.sleep(0.01)
        closed = err
      end, function() error("boom", 0) end)
      local _, err = task:join()
      assert.same({ "boom", "boom" }, { err.cause, closed })
      assert.matches("traceback", err.traceback)
    end)

    it("run <close> when they are cancelled", function()
      local closed
      local task = llm.spawn(closing, function(err) closed = err end, function() llm.sleep(10) end)
      llm.step(0)
      task:cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.equal("cancelled", closed.kind)
    end)
  end

  it("are children of their run when a coroutine inside it spawns them", function()
    local grown = false
    llm.run(function()
      coroutine.wrap(function()
        llm.spawn(function()
          llm.sleep(0.01)
          grown = true
        end)
      end)()
    end)
    assert.is_true(grown)
    local ok, err = pcall(llm.run, function()
      coroutine.wrap(function() llm.spawn(function() error("child", 0) end) end)()
    end)
    assert.same({ false, "child" }, { ok, err })
  end)

  it("of another loop sleep with llm.sleep too, and map with their own", function()
    local other = llm.new_loop()
    local told
    other:run(function()
      llm.sleep(0.01)
      told = select(2, pcall(llm.map, { 1 }, tostring))
    end)
    assert.matches("another loop", told)
    other:close()
  end)

  it("end although what they raise cannot be told", function()
    local odd = setmetatable({}, { __tostring = function() error("no") end })
    local _, err = llm.spawn(function() error(odd, 0) end):join()
    assert.equal("task", err.kind)
    assert.equal(odd, err.cause)
    assert.matches("an error that is a table", err.message)
  end)

  it("spawn from a hook", function()
    local seen
    local hooked = client:with({ on_request = function() seen = llm.spawn(function() return "spawned" end) end })
    assert(hooked:chat(question("hi")))
    assert.equal("spawned", seen:join())
  end)

  it("spawn from on_done", function()
    local second
    local task = llm.spawn(function() end)
    task:on_done(function() second = llm.spawn(function() return "second" end) end)
    task:join()
    assert.equal("second", second:join())
  end)

  describe("cancelled", function()
    it("close their stream at once, and the server sees it", function()
      local before = assert(client:request({ method = "GET", path = "/~stats" })).streams_broken
      local reading = false
      local task = llm.spawn(function()
        local stream = assert(stream_of(client, "Count to 500"))
        reading = true
        return read_all(stream)
      end)
      while not reading do llm.step() end
      task:cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.equal("cancelled", task:status())
      assert.is_true(await_stat("streams_broken", before + 1))
    end)

    it("by themselves while they read close their stream too", function()
      local before = assert(client:request({ method = "GET", path = "/~stats" })).streams_broken
      local task, held
      task = llm.spawn(function()
        held = assert(stream_of(client, "Count to 500"))
        task:cancel()
        return held:next()
      end)
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.equal("cancelled", select(2, held:next()).kind)
      assert.is_true(await_stat("streams_broken", before + 1))
    end)

    it("in the turn of others close the stream they read", function()
      local before = assert(client:request({ method = "GET", path = "/~stats" })).streams_broken
      local held, read = nil, 0
      local task = llm.spawn(function()
        held = assert(stream_of(client, "Count to 500"))
        while held:next() do read = read + 1 end
      end)
      while read == 0 do llm.step(nil, 0) end -- without time of its own it gives way after each chunk
      task:cancel()
      assert.equal("cancelled", select(2, held:next()).kind)
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.is_true(await_stat("streams_broken", before + 1))
    end)

    it("send nothing more", function()
      if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then return end -- it cannot yield across pcall
      local before = assert(client:request({ method = "GET", path = "/~stats" })).requests
      local task = llm.spawn(function()
        pcall(llm.sleep, 10)
        return pcall(client.chat, client, question("hi"))
      end)
      llm.step(0)
      task:cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
      local started = core.now()
      while llm.pending() and core.now() - started < 0.5 do llm.step(0.05) end
      assert.equal(before, assert(client:request({ method = "GET", path = "/~stats" })).requests)
    end)

    it("before they start never run; twice is once; an ended one stays", function()
      local ran = false
      local task = llm.spawn(function() ran = true end)
      task:cancel():cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.is_false(ran)
      local done = llm.spawn(function() return 7 end)
      assert.equal(7, done:join())
      assert.equal("done", done:cancel():status())
    end)

    it("by themselves meet it at the next wait", function()
      local task, passed
      task = llm.spawn(function()
        task:cancel()
        passed = "no wait yet"
        llm.sleep(0)
        passed = "too far"
      end)
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.equal("no wait yet", passed)
    end)

    it("meet it at each later wait, whatever they catch", function()
      if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then return end -- it cannot yield across pcall
      local errors = {}
      local task = llm.spawn(function()
        for _ = 1, 3 do table.insert(errors, select(2, pcall(llm.sleep, 10)).kind) end
        return "value"
      end)
      llm.step(0)
      task:cancel()
      local value, err = task:join()
      assert.is_nil(value)
      assert.equal("cancelled", err.kind)
      assert.same({ "cancelled", "cancelled", "cancelled" }, errors)
    end)

    it("while they wait to try again give up the wait", function()
      local task = llm.spawn(function()
        return client:with({ max_retries = 3 }):chat({ messages = question("x").messages,
          headers = { ["X-Dev-Fault"] = "status;code=503;retry_after=15" } })
      end)
      local started = core.now()
      while core.now() - started < 0.1 do llm.step(0.02) end
      assert.equal("pending", task:status())
      task:cancel()
      assert.equal("cancelled", select(2, task:join()).kind)
      assert.is_true(core.now() - started < 2)
    end)

    it("leave their children alone", function()
      local child
      local parent = llm.spawn(function()
        child = llm.spawn(function()
          llm.sleep(0.02)
          return "grown"
        end)
        llm.sleep(10)
      end)
      llm.step(0)
      parent:cancel()
      assert.equal("grown", child:join())
    end)
  end)

  describe("map", function()
    it("keeps its successes, by index", function()
      local results, errors = llm.map({ 1, 2, 3, 4, 5 }, { concurrency = 2 }, function(n)
        if n == 3 then error("three", 0) end
        if n == 4 then return nil, "four" end
        return client:chat(question("What is " .. n .. " times 2?")):text():match("%d+$")
      end)
      assert.same({ n = 5, "2", "4", nil, nil, "10" }, results)
      assert.equal("three", errors[3].cause)
      assert.equal("four", errors[4])
    end)

    it("runs no more at once than told, from a task too", function()
      local now, most = 0, 0
      local results, errors = llm.run(function()
        return llm.map({ 1, 2, 3, 4, 5, 6, 7 }, { concurrency = 3 }, function(n)
          now = now + 1
          most = math.max(most, now)
          llm.sleep(0.002)
          now = now - 1
          return n
        end)
      end)
      assert.same({ 3, nil }, { most, errors })
      assert.equal(7, results.n)
    end)

    it("stops at the first error when told", function()
      local started = 0
      local _, errors = llm.map({ 1, 2, 3, 4, 5, 6 }, { concurrency = 2, stop_on_error = true }, function(n)
        started = started + 1
        if n == 1 then error("first", 0) end
        llm.sleep(5)
      end)
      assert.equal("first", errors[1].cause)
      assert.equal("cancelled", errors[2].kind)
      assert.equal(2, started)
    end)

    it("checks its arguments", function()
      assert.has_error(function() llm.map({}, { concurency = 2 }, print) end)
      assert.has_error(function() llm.map({}, { concurrency = 0 }, print) end)
      assert.has_error(function() llm.map({}, { stop_on_error = "yes" }, print) end)
      assert.same({ n = 0 }, (llm.map({}, print)))
    end)
  end)

  describe("misused", function()
    local function refused(fn)
      local ok, err
      llm.run(function() ok, err = pcall(fn) end)
      assert.is_false(ok)
      return tostring(err)
    end

    it("refuse step and run inside a task", function()
      assert.matches("inside a task", refused(function() llm.step(0) end))
      assert.matches("inside a task", refused(function() llm.run(function() end) end))
    end)

    it("refuse join, map, run and step from another coroutine inside a task", function()
      for _, fn in ipairs({
        function(task) task:join() end, function() llm.map({ 1 }, print) end,
        function() llm.run(print) end, function() llm.step() end,
      }) do
        assert.matches("another coroutine", refused(function()
          local task = llm.spawn(function() end)
          coroutine.wrap(function() fn(task) end)()
        end))
      end
    end)

    it("refuse a join in a callback of a step, which would never end", function()
      local raised
      llm.spawn(function() end):on_done(function()
        local waiting = llm.spawn(function() llm.sleep(0) end)
        raised = select(2, pcall(waiting.join, waiting))
      end)
      while llm.step() do llm.pending() end
      assert.matches("being stepped", raised)
    end)

    it("refuse a client of another loop", function()
      local loop = llm.new_loop()
      local other = llm.new({ base_url = gateway.url, loop = loop })
      assert.matches("another loop", refused(function() other:health() end))
      loop:close()
    end)

    it("refuse to join themselves, and say when nothing can go on", function()
      local task
      task = llm.spawn(function() task:join() end)
      assert.matches("join itself", select(2, task:join()).message)
      local a, b
      a = llm.spawn(function() b:join() end)
      b = llm.spawn(function() a:join() end)
      local ok, err = pcall(a.join, a)
      assert.is_false(ok)
      assert.matches("deadlock", err)
      a:cancel()
      b:cancel()
      a:join()
      b:join()
    end)

    it("let a callback of a step do I/O only", function()
      local inner, moved = nil, false
      local task = llm.spawn(function() end)
      task:on_done(function()
        llm.spawn(function() moved = true end)
        inner = llm.step(0)
        assert.is_false(moved)
      end)
      task:join()
      assert.is_true(inner)
      llm.step(0)
      assert.is_true(moved)
    end)
  end)
end)
