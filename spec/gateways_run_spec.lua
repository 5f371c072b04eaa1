-- Real input: LiteLLM's proxy, which nobody here wrote, between this client and providers that the development gateway
-- plays in their own protocols. It is installed once (spec/litellm/install.sh) and started once.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local gateways_run = require "spec.gateways_run"
local llm = require "llm_gateway"
local shell = require "spec.shell"
local support = require "spec.support"

local ROOM = "build/litellm"
local LIFETIME = 240 -- seconds, should nobody stop it

-- What LiteLLM asks each upstream for. Its keys are spelled as its settings' file has them.
local MODELS = {
  openai = { model = "openai/gpt-4", api_base = "/v1" },
  ["openai-embeddings"] = { upstream = "openai", model = "openai/text-embedding-ada-002", api_base = "/v1" },
  lmstudio = { model = "lm_studio/qwen", api_base = "/v1" },
  anthropic = { model = "anthropic/claude-sonnet-4-5", api_base = "" },
  bedrock = { model = "bedrock/converse/anthropic.claude-3-5-sonnet-20240620-v1:0", endpoint = "" },
  ["bedrock-embeddings"] = { upstream = "bedrock", model = "bedrock/amazon.titan-embed-text-v2:0", endpoint = "" },
  ollama = { model = "ollama_chat/llama3", api_base = "" },
  ["ollama-embeddings"] = { upstream = "ollama", model = "ollama/nomic-embed-text", api_base = "" },
}

-- The settings as JSON, which is YAML too.
local function write_settings(upstream_url)
  local models = {}
  for name, how in pairs(MODELS) do
    local url = upstream_url .. "/~upstream/" .. (how.upstream or name)
    table.insert(models, { model_name = name, litellm_params = {
      model = how.model, api_key = "sk-dev", api_base = how.api_base and url .. how.api_base,
      aws_bedrock_runtime_endpoint = how.endpoint and url, aws_region_name = "us-east-1",
      aws_access_key_id = "dev", aws_secret_access_key = "dev",
    } })
  end
  local file = assert(io.open(ROOM .. "/settings.yaml", "w"))
  file:write(llm.json.encode({ model_list = models, general_settings = { master_key = "sk-gateway" },
    litellm_settings = { num_retries = 0, request_timeout = 20, telemetry = false },
    router_settings = { num_retries = 0, disable_cooldowns = true } }))
  file:close()
end

-- Nothing is asked of the world outside: proxies point to a port that refuses. The loop keeps the log, so that the pipe
-- never fills, and says when it runs. The shell is one of its own, since $$ in a pipeline is that of the outer one.
local START = [[cd %s && sh -c 'echo $$; exec env LITELLM_LOCAL_MODEL_COST_MAP=True HTTP_PROXY=http://127.0.0.1:9 \
  HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 timeout %d venv/bin/python venv/bin/litellm \
  --config settings.yaml --host 127.0.0.1 --port %d --telemetry False 2>&1' | {
    read -r pid; echo "$pid"
    while IFS= read -r line; do
      printf '%%s\n' "$line" >&3
      case $line in *"Uvicorn running"*) echo ready ;; esac
    done 3>run.log
  }]]

describe("through LiteLLM #apart #long", function()
  if not shell.succeeds("sh spec/litellm/install.sh") then
    pending("LiteLLM's proxy cannot be had (no python3-venv, no registry?): see " .. ROOM .. "/pip.log")
    return
  end

  local upstream = support.gateway({ delay = 0.002 })
  local pipe, pid, url

  setup(function()
    write_settings(upstream.url)
    local port = gateways_run.free_port()
    pipe = assert(io.popen(START:format(ROOM, LIFETIME, port)))
    pid = pipe:read("*l")
    assert(pipe:read("*l") == "ready", "LiteLLM did not start: see " .. ROOM .. "/run.log")
    url = ("http://127.0.0.1:%d"):format(port)
  end)

  teardown(function()
    if pid then os.execute("kill " .. pid) end
    if pipe then pipe:close() end
  end)

  local function client(options)
    local all = { base_url = url, api_key = "sk-gateway", gateway = "litellm", max_retries = 0, timeout = 20 }
    for name, value in pairs(options or {}) do all[name] = value end
    return llm.new(all)
  end

  -- Of every stream that its provider breaks off it says that it came whole. doc/conformance.md tells of the rest.
  local LOST = {
    openai = { cut = true },
    lmstudio = { cut = true, too_large = { limit = false, current = false } },
    anthropic = { cut = true, overloaded = { status = 500 } },
    bedrock = { cut = true },
    ollama = { cut = true, filter = "stop" }, -- Ollama has no filter, nor a word for one
  }

  for name, lost in pairs(LOST) do
    describe("and " .. name, function() gateways_run.specs(name, client, name, lost) end)
  end

  -- LiteLLM hands Anthropic's own events on, and makes up all others.
  describe("in another dialect, and anthropic", function()
    gateways_run.dialect("messages", client, "anthropic", {})
    gateways_run.dialect("responses", client, "anthropic", { cut = true, wait = 20 })
  end)

  describe("in another dialect, and bedrock", function()
    gateways_run.dialect("messages", client, "bedrock", { cut = true })
    gateways_run.dialect("responses", client, "bedrock", { cut = true })
  end)

  gateways_run.embeddings(client, "openai-embeddings")
  gateways_run.embeddings(client, "bedrock-embeddings", true)
  gateways_run.embeddings(client, "ollama-embeddings")

  it("reads its own complaint: a model that it does not know", function()
    local _, err = client():chat(support.ask("hi", { model = "nobody" }))
    assert.equal("validation", err.kind)
    assert.matches("nobody", err.message)
  end)

  it("reads its own complaint: a key that it does not know", function()
    local _, err = client({ api_key = "sk-other" }):chat(support.ask("hi", { model = "openai" }))
    assert.equal("authentication", err.kind)
    assert.is_false(err.retryable)
  end)

  it("tells what a reply cost, its model and its request's id", function()
    local info = llm.assert(client():chat(support.ask("hi", { model = "anthropic" }))):info()
    assert.is_true(info.cost > 0)
    assert.equal("anthropic/claude-sonnet-4-5", info.model)
    assert.matches("%S", info.request_id)
  end)

  it("says how it is, and which models it has", function()
    assert.equal(200, llm.assert(client():health()):info().status)
    assert.is_true(#llm.assert(client():models()) >= 8)
  end)
end)
