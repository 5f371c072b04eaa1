-- How much a server may make this process hold: limits on what was decoded, whatever was sent.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local support = require "spec.support"

local MB = 2 ^ 20
local is_asan = (os.getenv("SPEC_BUILD") or ""):find("asan") ~= nil

local function gzip(text)
  local path = support.file(text)
  local bytes = support.output_of("gzip -9 -n <" .. path)
  os.remove(path)
  return bytes
end

-- HTTP's "deflate", as many servers send it: gzip's insides alone (RFC 1952: 10 bytes before, 8 behind).
local function deflate_of(gzipped) return gzipped:sub(11, -9) end

-- So many bytes of zeros: blocks of one byte that repeats 128 KiB long (RFC 8878, 3.1.1).
local function zstd_zeros(size)
  local block = 128 * 1024
  local repeated = "\2\0\16\0"
  return "\40\181\47\253\0\56" .. repeated:rep(size / block - 1) .. "\3\0\16\0"
end

local function most_memory()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmHWM:%s+(%d+)")
    if kb then return tonumber(kb) / 1024 end
  end
end

-- The most memory held while fn ran, in MB over what was held before.
local function growth(fn)
  collectgarbage()
  local reset = io.open("/proc/self/clear_refs", "w")
  if reset then
    reset:write("5")
    reset:close()
  end
  local before = most_memory()
  fn()
  return most_memory() - before
end

describe("a decompression bomb", function()
  local gateway, bombs = support.gateway(), {}
  local SIZE = 128 * MB

  setup(function()
    local zeros = ("head -c %d /dev/zero | gzip -9 -n"):format(SIZE)
    bombs.gzip = support.output_of(zeros)
    bombs.deflate = deflate_of(bombs.gzip)
    bombs["gzip, gzip"] = support.output_of(zeros .. " | gzip -9 -n")
    bombs.zstd = zstd_zeros(SIZE)
    assert(#bombs.gzip < SIZE / 500 and #bombs["gzip, gzip"] < 4000)
  end)

  local function bombed(encoding, options, answer)
    answer.headers = { "Content-Encoding: " .. encoding }
    return support.answering(gateway, bombs[encoding], answer):with(options)
  end

  local function defused(encoding, answer, request, words)
    local client, err = bombed(encoding, { max_response_bytes = 4 * MB, max_event_bytes = 4 * MB }, answer), nil
    local grown = growth(function()
      local reply
      reply, err = client:chat(support.ask("hi", request))
      if reply then reply, err = reply:collect() end
      assert.is_nil(reply)
    end)
    assert.matches(words, err.message)
    assert.is_false(err.retryable)
    if not is_asan then assert.is_true(grown < 16, ("held %.1f MB"):format(grown)) end
    return err
  end

  -- Not every libcurl reads zstd.
  local function is_read(encoding)
    local _, fields = support.echoed(llm.assert(support.client(gateway):request({ path = "/~echo", body = {} })))
    return fields["accept-encoding"]:find(encoding:match("%w+"), 1, true) ~= nil
  end

  for _, encoding in ipairs({ "gzip", "deflate", "gzip, gzip", "zstd" }) do
    it(("(%s) is stopped at max_response_bytes, as an answer and as an error #long"):format(encoding), function()
      if not is_read(encoding) then return end
      assert.equal("server", defused(encoding, {}, {}, "max_response_bytes %(4194304 bytes%)").kind)
      defused(encoding, { status = 500 }, {}, "max_response_bytes")
      defused(encoding, {}, { stream = true }, "max_response_bytes")
    end)

    it(("(%s) is stopped at max_event_bytes in a stream #long"):format(encoding), function()
      if not is_read(encoding) then return end
      local err = defused(encoding, { type = "text/event-stream" }, { stream = true }, "max_event_bytes")
      assert.equal("stream", err.kind)
    end)
  end
end)

describe("a compressed answer", function()
  local gateway = support.gateway()

  it("within the limit is decoded; one byte over it is refused", function()
    local function answer(limit)
      local body = gzip('{"text":"' .. ("x"):rep(5000) .. '"}')
      return support.answering(gateway, body, { headers = { "Content-Encoding: gzip" } })
        :with({ max_response_bytes = limit }):request({ method = "GET", path = "/" })
    end
    assert.equal(("x"):rep(5000), llm.assert(answer(5011)).text)
    local reply, err = answer(5010)
    assert.is_nil(reply)
    assert.matches("max_response_bytes %(5010 bytes%)", err.message)
  end)

  it("of events is a stream like any other, though none was asked for", function()
    local events = {}
    for i = 1, 50 do events[i] = "data: " .. support.delta(('"delta":{"content":"%d "}'):format(i)) .. "\n\n" end
    table.insert(events, "data: [DONE]\n\n")
    for _, encoding in ipairs({ "gzip", "deflate" }) do
      local body = gzip(table.concat(events))
      local client = support.answering(gateway, encoding == "gzip" and body or deflate_of(body), {
        type = "text/event-stream", headers = { "Content-Encoding: " .. encoding },
      })
      local list, err = support.drain(assert(client:chat(support.ask("hi", { stream = true }))))
      assert.is_nil(err)
      assert.equal(50, #list)
      assert.equal("50 ", list[50].choices[1].delta.content)
    end
  end)

  it("that is cut or garbled is an error, never a shorter text", function()
    local whole = gzip('{"text":"' .. ("a quick brown fox "):rep(400) .. '"}')
    for _, body in ipairs({ whole:sub(1, -20), whole:sub(1, -40), "not gzip at all" }) do
      local reply, err = support.answering(gateway, body, { headers = { "Content-Encoding: gzip" } })
        :request({ method = "GET", path = "/" })
      assert.is_nil(reply)
      assert.is_true(err.kind == "connection" or err.kind == "server", err.kind)
    end
  end)
end)

describe("an answer that may yet be an event stream", function()
  local gateway = support.gateway()

  it("is looked at in time linear in its blank lines #long", function()
    local function seconds(size)
      local client = support.answering(gateway, ("\n"):rep(size))
      local started = os.clock()
      assert.is_nil((client:chat(support.ask("x", { stream = true }))))
      return os.clock() - started
    end
    local small, large = seconds(MB / 2), seconds(4 * MB)
    assert.is_true(large < 20 * small + 0.2, ("%g s for 8 times what took %g s"):format(large, small))
  end)
end)

describe("an answer's headers", function()
  local gateway = support.gateway()

  local LINE = 1000 -- bytes, with its CRLF

  local function answered(lines)
    local fields = {}
    for i = 1, lines do
      local name = ("X-%05d: "):format(i)
      fields[i] = name .. ("v"):rep(LINE - 2 - #name)
    end
    local client = support.answering(gateway, "{}", { headers = fields })
    return client:request({ method = "GET", path = "/" })
  end

  it("are read in time linear in them, though all have one name #long", function()
    local function seconds(n)
      local head, started = ("a: b\r\n"):rep(n), os.clock()
      assert.equal(3 * n - 2, #core.header_fields(head).a)
      return os.clock() - started
    end
    local small, large = seconds(20000), seconds(160000)
    assert.is_true(large < 20 * small + 0.05, ("%g s for 8 times what took %g s"):format(large, small))
  end)

  it("may have 256 KiB in all, and no more #long", function()
    local reply = llm.assert(answered(261)) -- with the three of the script's own, under 262,144
    assert.equal(LINE - 2 - 9, #reply:info().headers["x-00261"])
    local more, err = answered(263)
    assert.is_nil(more)
    assert.equal("server", err.kind)
    assert.matches("headers are too large %(over 256 KiB", err.message)
  end)
end)
