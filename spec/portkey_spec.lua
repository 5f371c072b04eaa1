-- Real input: the Portkey AI gateway, which nobody here wrote, between this client and providers that the development
-- gateway plays in their own protocols.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local gateways_run = require "spec.gateways_run"
local llm = require "llm_gateway"
local shell = require "spec.shell"
local support = require "spec.support"

local ROOM = "build/portkey"
-- Later versions of its HTTP layer break its streams ("immutable" headers), so that is held where it works.
local MANIFEST = '{ "private": true, "dependencies": { "@portkey-ai/gateway": "1.15.2" },'
  .. ' "overrides": { "@hono/node-server": "1.3.3" } }'

local function install()
  if shell.succeeds("test -f " .. ROOM .. "/installed") then return true end
  if not shell.succeeds("mkdir -p " .. ROOM) then return false end
  local file = assert(io.open(ROOM .. "/package.json", "w"))
  file:write(MANIFEST)
  file:close()
  return shell.succeeds("cd " .. ROOM .. " && npm install --no-audit --no-fund >npm.log 2>&1 && touch installed")
end

describe("through the Portkey gateway #apart #long", function()
  if not shell.succeeds("command -v node >/dev/null && command -v npm >/dev/null") then
    pending("node and npm are missing, so that it cannot be started")
    return
  end
  if not install() and not os.getenv("CI") then
    pending("npm could not install it (is this machine offline?): see " .. ROOM .. "/npm.log")
    return
  end

  local gateway = support.gateway({ delay = 0.002 })
  local portkey, pid, url
  local question = { messages = { { role = "user", content = "What is 6 times 7?" } } }

  setup(function()
    assert(install(), "npm could not install it: see " .. ROOM .. "/npm.log")
    local port = gateways_run.free_port()
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

  local function client(provider, place, key)
    return llm.new({
      base_url = url, api_key = key or "sk-dev", gateway = "portkey", max_retries = 0, timeout = 20,
      headers = {
        ["Authorization"] = "Bearer " .. (key or "sk-dev"),
        ["x-portkey-provider"] = provider, ["x-portkey-custom-host"] = gateway.url .. place,
        ["x-portkey-aws-access-key-id"] = "dev", ["x-portkey-aws-secret-access-key"] = "dev",
        ["x-portkey-aws-region"] = "us-east-1",
      },
    })
  end

  local WORDLESS = { limit = false, current = false } -- "openai error: undefined"

  -- The providers as Portkey names them, and what it loses of theirs. To Ollama it speaks OpenAI's protocol; LM Studio
  -- it does not know.
  local PROVIDERS = {
    { "openai", "openai", "/v1", model = "gpt-4", lost = {} },
    { "openai", "lmstudio", "/v1", model = "qwen", lost = { too_large = WORDLESS } },
    { "ollama", "lmstudio", "", model = "llama3",
      lost = { too_large = WORDLESS, overload = "stream", usage = true } },
    { "anthropic", "anthropic", "/v1", model = "claude-sonnet-4-5", lost = { filter = "stop" } },
    { "bedrock", "bedrock", "", model = "anthropic.claude-3-5-sonnet-20240620-v1:0", lost = { overload = true } },
  }

  for _, one in ipairs(PROVIDERS) do
    local provider, upstream = one[1], one[2]
    describe(("and %s, played as %s"):format(provider, upstream), function()
      gateways_run.specs(upstream, function()
        return client(provider, "/~upstream/" .. upstream .. one[3])
      end, one.model, one.lost)
    end)
  end

  describe("in Messages", function()
    gateways_run.dialect("messages", function() return client("anthropic", "/~upstream/anthropic/v1") end,
      "claude-sonnet-4-5", { wait = 20 })
    gateways_run.dialect("messages", function() return client("bedrock", "/~upstream/bedrock") end,
      "anthropic.claude-3-5-sonnet-20240620-v1:0", { overload = "stream" })
  end)

  it("reads that it has no Responses for a provider", function()
    local _, err = client("anthropic", "/~upstream/anthropic/v1"):responses({ model = "m", input = "hi" })
    assert.equal("validation", err.kind)
    assert.is_false(err.retryable)
  end)

  gateways_run.embeddings(function() return client("openai", "/~upstream/openai/v1") end, "text-embedding-ada-002")
  gateways_run.embeddings(function() return client("bedrock", "/~upstream/bedrock") end,
    "amazon.titan-embed-text-v2:0", true)
  gateways_run.embeddings(function() return client("ollama", "/~upstream/ollama") end, "nomic-embed-text", true)

  it("reads an upstream 429 in milliseconds", function()
    local _, err = client("openai", "/~fixture/OpenAI%20rate%20limit%20in%20milliseconds/v1"):chat(question)
    assert.equal("rate_limit", err.kind)
    assert.equal(429, err.status)
    assert.equal(1.5, err.retry_after)
  end)

  it("reads another gateway's 401", function()
    local _, err = client("openai", "/v1", "wrong-key"):chat(question)
    assert.equal("authentication", err.kind)
    assert.equal(401, err.status)
  end)

  it("tells the provider and how often it was tried", function()
    local info = llm.assert(client("openai", "/~upstream/openai/v1"):chat(question)):info()
    assert.equal("openai", info.provider)
    assert.equal(1, info.upstream_attempts)
  end)

  it("reads its own complaint", function()
    local _, err = llm.new({ base_url = url, api_key = "x", max_retries = 0 }):chat(question)
    assert.equal("validation", err.kind)
    assert.matches("x%-portkey%-provider", err.message)
  end)
end)
