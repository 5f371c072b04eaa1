-- Streams that tell the truth under every fault, on every transport; transports_cases.lua says what the truth is.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local support = require "spec.support"

local ask = support.ask
local cases = require "spec.transports_cases"

local room = support.tls_room()
local gateways = {
  plain = support.gateway(), tls = support.gateway(function() return { tls = room:of("good") } end),
}

local TRANSPORTS = {
  { name = "HTTP/1.1", gateway = "plain", http_version = "1.1", seen = 1.1 },
  { name = "HTTP/1.1 over TLS", gateway = "tls", http_version = "1.1", seen = 1.1 },
  { name = "HTTP/2", gateway = "plain", http_version = "2", seen = 2 },
  { name = "HTTP/2 over TLS", gateway = "tls", http_version = "2", seen = 2 },
}

-- Clients of different transports do not share connections, which need not speak what they ask for.
local loops = {}

local function client_of(transport, options)
  loops[transport.name] = loops[transport.name] or llm.new_loop()
  local all = {
    http_version = transport.http_version, ca_file = room.ca, timeout = 10, max_retries = 2,
    loop = loops[transport.name],
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return support.client(gateways[transport.gateway], all)
end

local counters = {}

local function stats(transport)
  counters[transport.gateway] = counters[transport.gateway]
    or support.client(gateways[transport.gateway], { ca_file = room.ca, loop = llm.new_loop() })
  return assert(counters[transport.gateway]:request({ method = "GET", path = "/~stats" }))
end

-- The words of "Count to 12" as its chunks bring them; the last one brings the end.
local ANSWER = { "", "1" }
for number = 2, 12 do table.insert(ANSWER, " " .. number) end

local function check_chunks(list)
  for position, chunk in ipairs(list) do
    local choice = chunk.choices[1]
    assert.equal(ANSWER[position], choice.delta.content)
    assert.equal(position == #ANSWER + 1 and "stop" or nil, choice.finish_reason)
  end
  return table.concat(ANSWER, "", 1, math.min(#list, #ANSWER))
end

local function check_error(want, err, text)
  assert.is_true(llm.is_error(err), "a normal end")
  local as_told = want.kinds and want.kinds[err.kind] or err.kind == want.kind
  assert.is_true(as_told, ("%s: %s"):format(err.kind, err.message))
  assert.equal(want.status, err.status)
  assert.equal(want.retryable or false, err.retryable)
  assert.equal(text, err.partial or "", "partial")
  local found = false
  for _, words in ipairs(type(want.words) == "table" and want.words or { want.words }) do
    found = found or err.message:find(words) ~= nil
  end
  assert.is_true(found, err.message)
end

local function check_next(client, want)
  if want.next then
    local reply, err = client:chat(ask("What is 6 times 7?", { max_retries = 0 }))
    if not reply then assert.equal(want.next, err.kind) end
  end
  assert.matches("42", assert(client:chat(ask("What is 6 times 7?"))):text())
end

-- Reads what was asked for. Returns the list of chunks, the error or nil, and how often it was tried.
local function read(client, fault, plain)
  local request = ask("Count to 12", { stream = not plain, headers = { ["X-Dev-Fault"] = fault } })
  local opened, err = client:chat(request)
  if not opened then return {}, err end
  if plain then
    assert.equal(table.concat(ANSWER), opened:text())
    return nil, nil, opened:info().attempts
  end
  local list
  list, err = support.drain(opened)
  assert.equal(err, select(2, opened:next()), "errors are sticky")
  return list, err, opened:info().attempts
end

-- On a loop of its own: what is lost on a connection that was kept is tried again.
local function run(transport, fault, want)
  local loop = llm.new_loop()
  local client = client_of(transport, want.options):with({ loop = loop })
  local before = stats(transport).requests
  local list, err, attempts = read(client, fault, want.plain)
  local after = stats(transport)
  assert.equal(transport.seen, after.last.http_version)
  assert.equal(want.attempts or 1, after.requests - before)
  assert.equal(want.attempts or 1, err and err.attempts or attempts)
  if list then
    assert.is_true(#list == want.chunks or (want.at_most and #list < want.chunks) or false, #list .. " chunks came")
    local text = check_chunks(list)
    if want.kind or #list <= #ANSWER then check_error(want, err, text) else assert.is_nil(err) end
  else
    assert.is_nil(want.kind)
  end
  check_next(client, want)
  loop:close()
end

-- What a case wants on this transport, in this encoding.
local function merged(case, transport, as)
  local want = {}
  local framed = transport.seen == 2
  local layers = { case, case.by and not framed and case.by[as] or {}, framed and case.framed or {},
    framed and case.framed_by and case.framed_by[as] or {} }
  for _, layer in ipairs(layers) do
    for name, value in pairs(layer) do want[name] = value end
  end
  return want
end

-- SPEC_SHARD="2/5" tries the second of five parts of the cases.
local SHARD, SHARDS = (os.getenv("SPEC_SHARD") or "1/1"):match("^(%d+)/(%d+)$")
local cases_seen = 0

local function in_this_shard()
  cases_seen = cases_seen + 1
  return cases_seen % SHARDS == SHARD % SHARDS
end

-- HTTP/2 has frames for chunks, and no other end than the stream's.
local function encodings(case, transport)
  local list = {}
  if transport.seen == 2 and case.framed == false then return list end
  for _, as in ipairs(case.as or { "" }) do
    if not (transport.seen == 2 and as == "close") then table.insert(list, as) end
  end
  return list
end

for count, transport in ipairs(TRANSPORTS) do
  describe(transport.name, function()
    it("brings the whole answer when nothing is wrong", function()
      run(transport, "slow;seconds=0", { chunks = 14 })
    end)

    for _, case in ipairs(cases) do
      for _, as in ipairs(encodings(case, transport)) do
        local fault = case[1] .. (as == "" and "" or ";as=" .. as)
        if in_this_shard() then
          it("tells the truth under " .. fault .. (case.plain and ", not streaming" or ""), function()
            run(transport, fault .. ";id=" .. count, merged(case, transport, as)) -- counted apart from every other
          end)
        end
      end
    end
  end)
end

-- What libcurl has read and not handed over is announced by no socket: HTTP/2 let it lie until something else woke it.
describe("a large event", function()
  local function size_of(client, size)
    local fault = ("big-event;after=0.3;size=%d"):format(size)
    local stream = assert(client:chat(ask("x", { stream = true, headers = { ["X-Dev-Fault"] = fault } })))
    local chunk, err = stream:next()
    assert(chunk, err)
    assert(stream:next() == nil)
    return #chunk.choices[1].delta.content
  end

  local SIZES = {}
  for i = 1, 24 do SIZES[i] = 150000 + 5000 * i end

  local function all_sizes(transport)
    local client, loop = client_of(transport, { timeout = 5 }), loops[transport.name]
    local found, errors = loop:run(function() return loop:map(SIZES, { concurrency = 8 },
      function(size) return size_of(client, size) + #'data: {"choices":[{"index":0,"delta":{"content":"'
        + #'"},"finish_reason":"stop"}]}\n\n' end) end)
    client:close()
    found.n = nil
    return found, errors
  end

  for _, transport in ipairs(TRANSPORTS) do
    it("is handed over once it is there: " .. transport.name, function()
      local found, errors = all_sizes(transport)
      -- On a busy machine lua-http, about once in 50 runs, leaves the requests of a TLS connection unread in its
      -- socket. What a client lets lie it lets lie again.
      if errors then found, errors = all_sizes(transport) end
      assert.is_nil(errors)
      assert.same(SIZES, found)
    end)
  end
end)

describe("one loop", function()
  it("speaks both versions of HTTP to one gateway, whichever connection it has kept", function()
    for _, gateway in pairs(gateways) do
      for _, versions in ipairs({ { "1.1", "2", "1.1", "2" }, { "2", "1.1", "2" } }) do
        for _, version in ipairs(versions) do
          local client = support.client(gateway, { http_version = version, ca_file = room.ca })
          assert.equal("1 2 3", assert(client:chat(ask("Count to 3"))):text())
          local stream = assert(client:chat(ask("Count to 3", { stream = true })))
          assert.equal("1 2 3", assert(stream:collect()):text())
        end
      end
    end
  end)

  -- libcurl would send one version's requests on the other's connections: chunks were lost on the way, and answers
  -- came to calls that had not asked for them.
  it("keeps connections of the two versions apart, over TLS too", function()
    local loop = llm.new_loop()
    local function client(version)
      return support.client(gateways.tls, { http_version = version, ca_file = room.ca, loop = loop })
    end
    local old, new = client("1.1"), client("2")
    for _ = 1, 3 do
      assert.equal(1.1, assert(old:request({ path = "/~echo", body = {} })).http_version)
      assert.equal(2, assert(new:request({ path = "/~echo", body = {} })).http_version)
    end
  end)

  it("ends what a server generates once its HTTP/2 stream is closed, over TLS too", function()
    local client = client_of(TRANSPORTS[4], { loop = llm.new_loop() })
    local before = stats(TRANSPORTS[4]).streams_broken
    local stream = assert(client:chat(ask("Count to 5000", { stream = true })))
    assert(stream:next())
    stream:close()
    local deadline, broken = core.now() + 5
    repeat broken = stats(TRANSPORTS[4]).streams_broken until broken > before or core.now() > deadline
    assert.equal(before + 1, broken)
  end)

  it("keeps an HTTP/2 connection over TLS", function()
    if not support.keeps_http2 then return end
    local client = client_of(TRANSPORTS[4])
    local function connections() return assert(client:request({ method = "GET", path = "/~stats" })).connections end
    local before = connections()
    for _ = 1, 5 do
      assert.equal(2, assert(client:request({ path = "/~echo", body = {} })).http_version)
    end
    assert.equal(before, connections())
  end)
end)
