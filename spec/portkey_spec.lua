-- Real input: the Portkey AI gateway, which nobody here wrote, between this client and the development gateway.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"
local support = require "spec.support"

local ROOM = "build/portkey"
-- Later versions of its HTTP layer break its streams ("immutable" headers), so that is held where it works.
local MANIFEST = '{ "private": true, "dependencies": { "@portkey-ai/gateway": "1.15.2" },'
  .. ' "overrides": { "@hono/node-server": "1.3.3" } }'

local function succeeds(command)
  local result = os.execute(command)
  return result == true or result == 0
end

local function install()
  if succeeds("test -f " .. ROOM .. "/installed") then return true end
  if not succeeds("mkdir -p " .. ROOM) then return false end
  local file = assert(io.open(ROOM .. "/package.json", "w"))
  file:write(MANIFEST)
  file:close()
  return succeeds("cd " .. ROOM .. " && npm install --no-audit --no-fund >npm.log 2>&1 && touch installed")
end

-- A port that the kernel found free a moment ago.
local function free_port()
  local other = assert(devgateway.start({}))
  other:stop()
  return other.port
end

describe("through the Portkey gateway #apart #long", function()
  if not succeeds("command -v node >/dev/null && command -v npm >/dev/null") then
    pending("node and npm are missing, so that it cannot be started")
    return
  end
  if not install() and not os.getenv("CI") then
    pending("npm could not install it (is this machine offline?): see " .. ROOM .. "/npm.log")
    return
  end

  local gateway = support.gateway({ delay = 0.002 })
  local portkey, pid, url

  setup(function()
    assert(install(), "npm could not install it: see " .. ROOM .. "/npm.log")
    local port = free_port()
    portkey = assert(io.popen(("cd %s && echo $$ && exec node node_modules/@portkey-ai/gateway/build/start-server.js"
      .. " --headless --port=%d 2>&1"):format(ROOM, port)))
    pid = portkey:read("*l")
    url = ("http://127.0.0.1:%d"):format(port)
    for line in portkey:lines() do
      if line:find("http://", 1, true) then break end
    end
  end)

  teardown(function()
    if pid then os.execute("kill " .. pid) end
    if portkey then portkey:close() end
  end)

  local function client(prefix, key)
    return llm.new({
      base_url = url, api_key = key or "gw_dev", max_retries = 0, timeout = 20,
      headers = { ["x-portkey-provider"] = "openai", ["x-portkey-custom-host"] = gateway.url .. prefix .. "/v1" },
    })
  end

  local question = { messages = { { role = "user", content = "What is 6 times 7?" } } }

  it("chats", function()
    local reply = llm.assert(client(""):chat(question))
    assert.matches("42", reply:text())
  end)

  it("streams", function()
    local request, words = { messages = { { role = "user", content = "Count to 5" } }, stream = true }, {}
    local stream = llm.assert(client(""):chat(request))
    for text in stream:texts() do table.insert(words, text) end
    assert.equal("1 2 3 4 5", table.concat(words))
    assert.is_true(#words >= 5)
  end)

  it("embeds", function()
    local reply = llm.assert(client(""):embeddings({ input = { "a cat", "a dog" } }))
    assert.equal(2, #reply.data)
    assert.equal("number", type(reply.data[2].embedding[1]))
  end)

  it("reads an upstream 429", function()
    local _, err = client("/~fixture/OpenAI%20rate%20limit%20in%20milliseconds"):chat(question)
    assert.equal("rate_limit", err.kind)
    assert.equal(429, err.status)
    assert.equal(1.5, err.retry_after)
  end)

  it("reads an upstream 401", function()
    local _, err = client("", "wrong-key"):chat(question)
    assert.equal("authentication", err.kind)
    assert.equal(401, err.status)
  end)

  it("reads its own complaint", function()
    local _, err = llm.new({ base_url = url, api_key = "x", max_retries = 0 }):chat(question)
    assert.equal("validation", err.kind)
    assert.matches("x%-portkey%-provider", err.message)
  end)
end)
