-- Events handed over decoded: transfer:chunk(), which reply/stream.lua reads.
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local support = require "spec.support"

describe("a transfer's chunk", function()
  local gateway = support.gateway()

  -- The core's transfer of an answer of these bytes, before any of its events.
  local function transfer_of(body)
    local step = support.answer(body, { type = "text/event-stream", length = false })
    local client = support.scripted(gateway, { step })
    local stream = llm.assert(client:request({ path = "/v1/events", body = {}, stream = true }))
    return stream.transfer, stream
  end

  local function chunk(transfer)
    while true do
      local results = { n = 4, transfer:chunk() }
      if results[1] ~= false then return results end
      llm.step(0.1)
    end
  end

  it("is the event's JSON, its name, and whether its texts may hold halves", function()
    local transfer, stream = transfer_of('data: {"a":[1,{}],"b":null}\n\nevent: x\ndata: ["\\ud83d"]\n\ndata: [2]\n')
    local first = chunk(transfer)
    assert.same({ { a = { 1, {} } }, nil, nil, false, n = 4 }, first)
    assert.equal('{"a":[1,{}]}', json.encode(first[1]))
    assert.equal('{"a":[1,{}],"b":null}', transfer:data())
    assert.same({ { "\237\160\189" }, "x", true, false, n = 4 }, chunk(transfer))
    assert.equal('["\\ud83d"]', transfer:data())
    assert.same({ { 2 }, nil, nil, true, n = 4 }, chunk(transfer))
    assert.same({ n = 4 }, chunk(transfer))
    assert.is_table(stream)
  end)

  it("is the text of what is no table, and why it is no JSON", function()
    local transfer, stream = transfer_of('data: [DONE]\n\ndata\n\nevent: ping\ndata: 5\n\n'
      .. 'data: "\\ud83d"\n\ndata: null\n\n' .. 'data: {"a":\ndata: 1}\n\n')
    assert.same({ "[DONE]", nil, "expected a value at byte 2", false, n = 4 }, chunk(transfer))
    assert.equal("[DONE]", transfer:data())
    assert.same({ "", nil, "the text ends too early at byte 1", false, n = 4 }, chunk(transfer))
    assert.same({ "5", "ping", nil, false, n = 4 }, chunk(transfer))
    assert.same({ '"\\ud83d"', nil, nil, false, n = 4 }, chunk(transfer))
    assert.same({ "null", nil, nil, false, n = 4 }, chunk(transfer))
    assert.same({ { a = 1 }, nil, nil, false, n = 4 }, chunk(transfer))
    assert.is_table(stream)
  end)

  it("comes in between pull()s", function()
    local transfer, stream = transfer_of("data: [1]\n\ndata: [2]\n\ndata: [3]\n\n")
    assert.same({ 1 }, chunk(transfer)[1])
    assert.equal("[2]", transfer:pull())
    assert.same({ 3 }, chunk(transfer)[1])
    assert.is_table(stream)
  end)

  it("may be asked while a finalizer closes the transfer", function()
    if _VERSION == "Lua 5.1" then return end -- tables have no finalizers there
    for _ = 1, 20 do
      local transfer = transfer_of(('event: y\ndata: {"a":["\\n",{"b":"\\u00e9"}],"c":{}}\n\n'):rep(20))
      assert.same({ { a = { "\n", { b = "\195\169" } }, c = {} }, "y", nil, false, n = 4 }, chunk(transfer))
      setmetatable({}, { __gc = function()
        assert(json.decode("[[[1]]]")[1][1][1] == 1)
        transfer:close()
      end })
      for _ = 1, 19 do pcall(transfer.chunk, transfer) end
    end
  end)
end)
