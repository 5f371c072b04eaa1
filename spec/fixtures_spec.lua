-- Real gateways' error answers, served over a real socket and read back.
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local support = require "spec.support"

local function cases_of(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return assert(json.decode(text)).cases
end

local function ask(client, case)
  local stream, err = client:chat({
    messages = { { role = "user", content = "hi" } }, stream = case.request == "stream",
    headers = { ["X-Dev-Fixture"] = case.name },
  })
  if case.request ~= "stream" or not stream then return err, 0 end
  local chunks
  chunks, err = support.drain(stream)
  return err, #chunks
end

local function check_all(path)
  local client
  support.gateway({ fixtures = path }, function(gateway) client = support.client(gateway) end)

  for _, case in ipairs(cases_of(path)) do
    it(("%q is read as it should"):format(case.name), function()
      local err, count = ask(client, case)
      assert.is_true(llm.is_error(err))
      for name, value in pairs(case.expect) do
        assert.equal(value, name == "after_chunks" and count or err[name], name)
      end
      assert.equal(1, err.attempts)
      assert.matches(("^%%[%s%%] "):format(err.status or err.kind), tostring(err))
    end)
  end
end

for _, path in ipairs({ "spec/fixtures/errors.json", "spec/fixtures/gateways.json" }) do
  describe("the answer of " .. path, function() check_all(path) end)
end
