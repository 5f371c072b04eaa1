-- Real gateways' error answers, served over a real socket and read back.
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local support = require "spec.support"

local file = assert(io.open("spec/fixtures/errors.json"))
local cases = assert(json.decode(file:read("*a"))).cases
file:close()

describe("the answer", function()
  local client
  support.gateway({}, function(gateway) client = support.client(gateway) end)

  local function ask(case)
    local stream, err = client:chat({
      messages = { { role = "user", content = "hi" } }, stream = case.request == "stream",
      headers = { ["X-Dev-Fixture"] = case.name },
    })
    if case.request ~= "stream" or not stream then return err, 0 end
    local count, chunk = 0, stream:next()
    while chunk do
      count = count + 1
      chunk, err = stream:next()
    end
    return err, count
  end

  for _, case in ipairs(cases) do
    it(("%q is read as it should"):format(case.name), function()
      local err, count = ask(case)
      assert.is_true(llm.is_error(err))
      for name, value in pairs(case.expect) do
        assert.equal(value, name == "after_chunks" and count or err[name], name)
      end
      assert.equal(1, err.attempts)
      assert.matches(("^%%[%s%%] "):format(err.status or err.kind), tostring(err))
    end)
  end
end)
