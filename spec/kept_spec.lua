-- Kept connections that die, at each moment at which they can: how many copies of a POST the server saw, and how the
-- call ended. Client and server are one thread here (see lockstep_server.lua), so that each moment is exact.
local llm = require "llm_gateway"
local lockstep_server = require "spec.lockstep_server"
local support = require "spec.support"
local tls_room = require "spec.tls_room"

local answer, serve = lockstep_server.answer, lockstep_server.serve

local function ask(marker, fields) return function(client) return client:chat(support.ask(marker, fields)) end end

-- A call that is answered and leaves its connection, then between(server, connection), then another call, to which
-- second(server, connection) is done where it comes on the kept connection; on another it is answered.
-- Returns its reply or nil, the error, and the server.
local function two_calls(options, between, second, request)
  local server = serve(options)
  assert(server:during(ask("first"), function(connection) server:send(connection, answer("first")) end))
  local kept = server.connections[1]
  if between then between(server, kept) end
  local reply, err = server:during(request or ask("second"), function(connection)
    if connection == kept and second then return second(server, connection) end
    server:send(connection, answer("second"))
  end)
  server:close()
  return reply, err, server
end

local function close(server, connection) server:finish(connection, false) end
local function reset(server, connection) server:finish(connection, true) end
local function says(text) return function(server, connection) server:send(connection, text) end end

describe("a kept connection", function()
  it("carries the next request", function()
    local reply, _, server = two_calls({}, nil, nil)
    assert.equal("second", reply:text())
    assert.equal(1, #server.connections)
  end)

  local bodies = { small = ask("second"), large = ask("second", { user = ("x"):rep(2 ^ 20) }) }
  local stale = {
    ["a FIN"] = close, ["a reset"] = reset,
    ["a late 100"] = says("HTTP/1.1 100 Continue\r\n\r\n"),
    ["an answer that nobody asked for"] = says(answer("unasked")),
    ["half a line"] = says("HTT"),
  }
  for what, between in pairs(stale) do
    for size, request in pairs(bodies) do
      it(("that brought %s carries no request (%s)"):format(what, size), function()
        local reply, err, server = two_calls({}, between, close, request)
        assert.is_nil(err)
        assert.same({ "second", 1 }, { reply:text(), reply:info().attempts })
        assert.same({ 1, 2 }, { server:count("second"), #server.connections })
        assert.is_true(server.connections[1].over)
      end)
    end
  end

  for what, second in pairs({ FIN = close, reset = reset }) do
    for size, request in pairs(bodies) do
      it(("that ends with a %s as the request goes out had the only copy of it (%s)"):format(what, size), function()
        local reply, err, server = two_calls({}, nil, second, request)
        assert.is_nil(reply)
        assert.same({ "connection", 1, true }, { err.kind, err.attempts, err.retryable })
        assert.matches("kept connection", err.message)
        assert.is_true(server:count("second") <= 1)
      end)

      local title = "that ends with a %s as the request goes out has it tried again, for all to see (%s) #long"
      it(title:format(what, size),
        function()
          local delays = {}
          local options = { max_retries = 1, on_retry = function(seen) table.insert(delays, seen.delay) end }
          local reply, _, server = two_calls(options, nil, second, request)
          assert.same({ "second", 2, { 0 } }, { reply:text(), reply:info().attempts, delays })
          assert.is_true(server:count("second") <= 2)
          assert.equal(2, #server.connections)
        end)
    end
  end

  it("that ends as the request goes out has no copy sent on another that was kept", function()
    local server = serve({})
    server:during(function(client)
      local tasks = {}
      for i = 1, 2 do tasks[i] = server.room.loop:spawn(ask("first"), client) end
      for i = 1, 2 do assert(tasks[i]:join()) end
      return true
    end, function(_, count)
      if count < 2 then return end
      for _, connection in ipairs(server.connections) do server:send(connection, answer("first")) end
    end)
    assert.equal(2, #server.connections)
    local _, err = server:during(ask("second"), function(connection) server:finish(connection) end)
    server:close()
    assert.same({ "connection", 1, 1, 2 }, { err.kind, err.attempts, server:count("second"), #server.connections })
  end)

  it("that ends after a part of the answer had the only copy too", function()
    for _, part in ipairs({ "H", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n" }) do
      local reply, err, server = two_calls({ max_retries = 2 }, nil, function(server, connection)
        server:send(connection, part)
        server:finish(connection)
      end)
      assert.is_nil(reply)
      assert.same({ "connection", 1, false, 1 },
        { err.kind, err.attempts, err.retryable, server:count("second") }, part)
    end
  end)

  it("that ends long after the request went out had the only copy too #timed", function()
    local server = serve({ max_retries = 2 })
    assert(server:during(ask("first"), function(connection) server:send(connection, answer("first")) end))
    local asked
    local reply, err = server:during(function(client)
      server.room.loop:spawn(function()
        repeat server.room.loop:sleep(0.01) until asked
        server.room.loop:sleep(1.1)
        server:finish(asked)
      end)
      return client:chat(support.ask("second"))
    end, function(connection) asked = connection end)
    server:close()
    assert.is_nil(reply)
    assert.same({ "connection", 1, false, 1 }, { err.kind, err.attempts, err.retryable, server:count("second") })
  end)

  it("is closed when it is too old, although nothing else happens #timed #long", function()
    local server = serve({})
    assert(server:during(ask("first"), function(connection) server:send(connection, answer("first")) end))
    local kept, loop = server.connections[1], server.room.loop
    server:during(function() loop:sleep(3.5) return true end)
    assert.is_nil(kept.over)
    server:during(function()
      for _ = 1, 60 do
        loop:sleep(0.05)
        if kept.over then break end
      end
      return true
    end)
    server:close()
    assert.is_true(kept.over)
  end)

  -- Not stepped meanwhile: where the loop is driven, it closes such connections by itself.
  it("carries no request once it is too old #timed #long", function()
    local gateway = support.start()
    local client = support.client(gateway, { loop = llm.new_loop() })
    local function connections() return assert(client:request({ method = "GET", path = "/~stats" })).connections end
    local before = connections()
    assert.equal(before, connections())
    os.execute("sleep 5.1")
    assert.equal(before + 1, connections())
    gateway:stop()
  end)

  it("is not kept after a status of 500 and more", function()
    for status, connections in pairs({ [429] = 1, [500] = 2, [503] = 2 }) do
      local server = serve({})
      server:during(ask("first"), function(connection)
        server:send(connection, (answer("first"):gsub("200 OK", status .. " X")))
      end)
      assert(server:during(ask("second"), function(connection) server:send(connection, answer("second")) end))
      server:close()
      assert.equal(connections, #server.connections)
    end
  end)

  it("gives no answer to the call after the one that it was for", function()
    local server = serve({})
    assert(server:during(ask("first"), function(connection)
      server:send(connection, answer("first") .. answer("unasked"))
    end))
    local reply = server:during(ask("second"), function(connection) server:send(connection, answer("second")) end)
    server:close()
    assert.equal("second", reply:text())
  end)
end)

describe("a stream's connection", function()
  local HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
  local END, CHUNK = "0\r\n\r\n", "data: " .. support.delta('"delta":{"content":"x"}') .. "\n\n"

  local function chunked(text) return ("%x\r\n%s\r\n"):format(#text, text) end

  -- A stream that is answered with these bytes and read to its end, which it has, once the loop was stepped so often.
  local function read_stream(server, bytes, steps)
    server:during(function(client)
      local stream = llm.assert(client:chat(support.ask("first", { stream = true })))
      for _ = 1, steps do server.room.loop:sleep(0) end
      local chunks, err = support.drain(stream)
      assert.is_nil(err)
      assert.equal(2, #chunks)
      return true
    end, function(connection) server:send(connection, HEAD .. bytes) end)
  end

  -- A server may send much behind its [DONE], of which nobody reads anything.
  it("is of use again although the stream was paused when its end was read", function()
    local server = serve({})
    read_stream(server, chunked(CHUNK:rep(2) .. "data: [DONE]\n\n" .. CHUNK:rep(1500)), 200)
    local connection = server.connections[1]
    server:go_on(function() return server.room.peer.unread(connection.peer) == 0 end, "it is read no further")
    server:send(connection, END)
    assert(server:during(ask("second"), function(at) server:send(at, answer("second")) end))
    server:close()
    assert.equal(1, #server.connections)
  end)

  it("is closed when the answer behind its end does not end", function()
    local server = serve({})
    read_stream(server, chunked(CHUNK:rep(2) .. "data: [DONE]\n\n"), 0)
    assert.is_true(server.room.loop:pending())
    server:go_on(function() return server.connections[1].over end, "it stays open")
    assert.is_false(server.room.loop:pending())
    server:close()
  end)
end)

-- OpenSSL's own server sends what is written to it: lines, a "k" for a message of TLS that asks for nothing. What is
-- written at once is one record.
describe("a kept connection over TLS #apart", function()
  local room, loop, client, input, pid, path, pipe

  local function seen()
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end

  local function wait_for(pattern)
    for _ = 1, 1000 do
      local found = seen():match(pattern)
      if found then return found end
      loop:sleep(0.005)
    end
    error("the server does not say " .. pattern .. ": " .. seen():sub(-300))
  end

  -- Returns once the server has sent it.
  local function write(text)
    local before = #seen()
    input:write(text)
    input:flush()
    for _ = 1, 1000 do
      if #seen() > before then return end
      loop:sleep(0.005)
    end
    error("the server does not send what is written to it")
  end

  -- Begins a call, which the server sees.
  local function begin(marker, more)
    local task = loop:spawn(function() return client:chat(support.ask(marker, more)) end)
    wait_for(marker)
    return task
  end

  local function call(marker)
    local task = begin(marker)
    write(answer(marker))
    return llm.assert(task:join()):text()
  end

  local function open(options)
    client = llm.new({
      base_url = "https://127.0.0.1:" .. wait_for("ACCEPT [^\n]*:(%d+)\n"), ca_file = room.ca, max_retries = 0,
      loop = loop, http_version = options and options.http_version,
    })
  end

  before_each(function()
    room, loop = tls_room.make(), llm.new_loop()
    assert(os.execute("mkfifo " .. room.folder .. "/in"))
    pipe = io.popen(("f=$(mktemp) && echo $$ $f && exec timeout 20 openssl s_server -accept 127.0.0.1:0 -tls1_3 "
      .. "-cert %s/good.pem -key %s/good.key -msg >$f 2>&1 <%s/in"):format(room.folder, room.folder, room.folder))
    input = assert(io.open(room.folder .. "/in", "w"))
    pid, path = pipe:read("*l"):match("(%d+) (%S+)")
  end)

  after_each(function()
    input:close()
    os.execute("kill " .. pid .. " 2>/dev/null; rm " .. path)
    pipe:close()
    loop:close()
    room:remove()
  end)

  it("carries no request once TLS has something to say", function()
    open()
    assert.equal("firstcall", call("firstcall"))
    write("k\n")
    wait_for("KeyUpdate")
    assert.equal("secondcall", call("secondcall"))
    local text = seen()
    assert.equal(1, select(2, text:gsub("secondcall", "")))
    assert.equal(2, select(2, text:gsub("ClientHello", "")))
  end)

  -- OpenSSL has decrypted the whole record then, and the socket shows nothing.
  it("carries no request once the record that ended an answer held more", function()
    open()
    local events = "data: " .. support.delta('"delta":{"content":"x"},"finish_reason":"stop"') .. "\n\ndata: [DONE]\n\n"
    local begun = begin("firstcall", { stream = true })
    write(("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n"):format(#events))
    local stream = llm.assert(begun:join())
    write(events .. answer("nobody asked"))
    assert.equal("x", llm.assert(stream:collect()):text())
    assert.equal("secondcall", call("secondcall"))
  end)

  it("carries no request once it brought an answer that nobody asked for, though HTTP/2 was", function()
    open({ http_version = "2" })
    assert.equal("firstcall", call("firstcall"))
    write(answer("nobody asked"))
    assert.equal("secondcall", call("secondcall"))
  end)
end)
