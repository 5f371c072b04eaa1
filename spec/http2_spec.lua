-- What an HTTP/2 server says of a request that it did nothing with, and what only looks like it: how many copies of a
-- POST went out. Client and server are one thread here (see lockstep_server.lua); the frames are written by hand.
local lockstep_server = require "spec.lockstep_server"
local support = require "spec.support"

local DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7
local NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CALM = 0, 1, 2, 7, 11
local END_STREAM, END_HEADERS = 1, 4

local function big_endian(number, bytes)
  local text = ""
  for _ = 1, bytes do
    text = string.char(number % 256) .. text
    number = (number - number % 256) / 256
  end
  return text
end

-- RFC 9113, 4.1
local function frame(kind, flags, stream, payload)
  return big_endian(#payload, 3) .. string.char(kind, flags) .. big_endian(stream, 4) .. payload
end

local function goaway(last, code) return frame(GOAWAY, 0, 0, big_endian(last, 4) .. big_endian(code, 4)) end
local function rst_stream(code) return frame(RST_STREAM, 0, 1, big_endian(code, 4)) end

-- RFC 7541: ":status: 200" is one byte, "content-type" a name of the static table.
local function field(name_index, value) return "\15" .. string.char(name_index - 15, #value) .. value end

local HEAD = frame(HEADERS, END_HEADERS, 1, "\136" .. field(31, "application/json"))
local BAD_HEAD = frame(HEADERS, END_HEADERS, 1, "\136" .. "\0\1A\1b") -- a field name in upper case: malformed
local ANSWER = HEAD .. frame(DATA, END_STREAM, 1, '{"choices":[{"message":{"content":"well"}}]}')
local HELLO = frame(SETTINGS, 0, 0, "")

-- A chat of which the first copy meets these frames, and behind them the connection's end if wanted; others an answer.
local function chat(frames, ends, options)
  local all = { http_version = "2" }
  for name, value in pairs(options or {}) do all[name] = value end
  local server = lockstep_server.serve(all)
  local reply, err = server:during(function(client) return client:chat(support.ask("marker")) end,
    function(connection, count)
      server:send(connection, HELLO .. (count == 1 and frames or ANSWER))
      if count == 1 and ends then server:finish(connection) end
    end)
  server:close()
  return reply, err, #server.requests
end

describe("an HTTP/2 server", function()
  local turned_away = { ["RST_STREAM, refused"] = rst_stream(REFUSED_STREAM) }
  if support.tells_goaway then
    turned_away["GOAWAY, of streams after 0"] = goaway(0, NO_ERROR)
    turned_away["GOAWAY, of streams after 0, for calm"] = goaway(0, CALM)
    turned_away["GOAWAY twice"] = goaway(2 ^ 31 - 1, NO_ERROR) .. goaway(0, NO_ERROR)
  end

  for what, frames in pairs(turned_away) do
    it(("that did nothing with a request has it tried again, for all to see (%s)"):format(what), function()
      local delays = {}
      local reply, err, copies = chat(frames, false,
        { max_retries = 1, on_retry = function(seen) table.insert(delays, seen.delay) end })
      assert.is_nil(err)
      assert.same({ "well", 2, 2, 1 }, { reply:text(), reply:info().attempts, copies, #delays })
    end)

    it(("that did nothing with a request had the only copy without retries (%s)"):format(what), function()
      local reply, err, copies = chat(frames)
      assert.is_nil(reply)
      assert.same({ "connection", 1, true, 1 }, { err.kind, err.attempts, err.retryable, copies })
      assert.matches("refused to process", err.message)
    end)
  end

  for what, frames in pairs({
    ["GOAWAY, of streams after it"] = goaway(1, NO_ERROR),
    ["GOAWAY, of none so far"] = goaway(2 ^ 31 - 1, NO_ERROR),
    ["RST_STREAM, cancelled"] = rst_stream(INTERNAL_ERROR),
    ["RST_STREAM and GOAWAY of streams after it"] = rst_stream(PROTOCOL_ERROR) .. goaway(1, NO_ERROR),
    ["a malformed head"] = BAD_HEAD,
    ["a malformed head and GOAWAY of streams after it"] = BAD_HEAD .. goaway(1, PROTOCOL_ERROR),
    ["its end alone"] = "",
    ["a head alone"] = HEAD,
  }) do
    it(("that may have acted on a request had its only copy (%s)"):format(what), function()
      local reply, err, copies = chat(frames, true, { max_retries = 2 })
      assert.is_nil(reply)
      assert.same({ "connection", 1, false, 1 }, { err.kind, err.attempts, err.retryable, copies })
    end)
  end

  it("answers", function()
    local reply, _, copies = chat(ANSWER, false, { max_retries = 2 })
    assert.same({ "well", 1 }, { reply:text(), copies })
  end)
end)
