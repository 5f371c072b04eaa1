-- Where calls go: every form of address that providers and gateways document, and what a 404 says of it.
local llm = require "llm_gateway"
local support = require "spec.support"

describe("the address of a client", function()
  local gateway = support.gateway({ api_key = false })

  -- The path and query that a call of this verb goes to.
  local function reached(options, verb, request)
    local seen
    local all = { base_url = gateway.url, on_request = function(about) seen = about.url end, max_retries = 0 }
    for name, value in pairs(options) do all[name] = value end
    all.base_url = gateway.url .. (options.base_url or "")
    local client = llm.new(all)
    client[verb](client, request)
    client:close()
    return seen:sub(#gateway.url + 1)
  end

  -- What the server itself saw of a chat.
  local function seen_path(path, options)
    local client = support.client(gateway, options, "/~echo" .. path)
    return assert(client:chat(support.ask("x"))).path:gsub("^/~echo", "")
  end

  local CHATS = {
    [""] = "/v1", ["/"] = "/v1", ["//"] = "/v1", ["/v1"] = "/v1", ["/v1/"] = "/v1", -- OpenAI, LiteLLM, Ollama
    ["/llm"] = "/llm/v1", ["/llm/v1"] = "/llm/v1", -- a gateway mounted below another server
    ["/openai/v1"] = "/openai/v1", -- Azure, Groq, TensorZero
    ["/openai/deployments/gpt-4o"] = "/openai/deployments/gpt-4o",
    ["/serving-endpoints"] = "/serving-endpoints", -- Databricks
    ["/v1beta/openai"] = "/v1beta/openai", ["/v1beta/openai/"] = "/v1beta/openai", -- Gemini
    ["/api/paas/v4"] = "/api/paas/v4", ["/api/coding/paas/v4/"] = "/api/coding/paas/v4", -- Zhipu
    ["/v1/ACCOUNT/GATEWAY/compat"] = "/v1/ACCOUNT/GATEWAY/compat", -- Cloudflare
    ["/client/v4/accounts/ID/ai/v1"] = "/client/v4/accounts/ID/ai/v1", -- Workers AI
    ["/api/v1"] = "/api/v1", -- OpenRouter
    ["/inference"] = "/inference", ["/models"] = "/models", -- GitHub Models, Azure AI
    ["/compatible-mode/v1"] = "/compatible-mode/v1", ["/api/v3"] = "/api/v3", -- DashScope, Volcengine
    ["/v1alpha1/x"] = "/v1alpha1/x", ["/vital"] = "/vital/v1", ["/v1x"] = "/v1x/v1",
  }

  for path, api in pairs(CHATS) do
    it(("ending in %q has its chats at %s/chat/completions"):format(path, api), function()
      assert.equal(api .. "/chat/completions", (seen_path(path)))
    end)
  end

  describe("of a named gateway", function()
    it("is where that one's API stands, unless base_url says it already", function()
      for _, case in ipairs({
        { "litellm", "", "/v1" }, { "litellm", "/v1", "/v1" }, { "litellm", "/llm", "/llm/v1" },
        { "litellm", "/llm/v1/", "/llm/v1" }, { "openrouter", "", "/api/v1" }, { "openrouter", "/api", "/api/v1" },
        { "openrouter", "/api/v1", "/api/v1" }, { "gemini", "", "/v1beta/openai" },
        { "gemini", "/v1beta", "/v1beta/openai" }, { "zhipu", "", "/api/paas/v4" }, { "azure", "", "/openai/v1" },
        { "azure", "/openai", "/openai/v1" }, { "azure", "/openai/deployments/d", "/openai/deployments/d" },
        { "cloudflare", "/v1/ACCOUNT/GATEWAY", "/v1/ACCOUNT/GATEWAY/compat" },
        { "cloudflare", "/v1/ACCOUNT/GATEWAY/compat", "/v1/ACCOUNT/GATEWAY/compat" },
        { "databricks", "", "/serving-endpoints" }, { "tensorzero", "", "/openai/v1" },
        { "mlflow", "", "/gateway/mlflow/v1" }, { "groq", "", "/openai/v1" },
      }) do
        assert.equal(case[3] .. "/chat/completions", (seen_path(case[2], { gateway = case[1] })), case[1] .. case[2])
      end
      assert.equal("/x/chat/completions", (seen_path("/x", { gateway = "openrouter", api_path = "" })))
    end)

    it("has its health where that one has it", function()
      assert.equal("/health/readiness", reached({ gateway = "litellm", base_url = "/v1" }, "health"))
      assert.equal("/llm/health/readiness", reached({ gateway = "litellm", base_url = "/llm" }, "health"))
      assert.equal("/health", reached({ gateway = "openrouter", base_url = "/api/v1" }, "health"))
      assert.equal("/up", reached({ gateway = { name = "mine", health_path = "/up" } }, "health"))
    end)

    it("may not be one that base_url contradicts", function()
      local function raises(words, options)
        local ok, message = pcall(function() return (llm.new(options)) end)
        assert.is_false(ok)
        assert.matches("address_spec.lua:%d+: gateway: " .. words, message)
      end
      raises('its API stands at "/api/v1", and base_url has "/v1beta".*api_path = ""',
        { gateway = "openrouter", base_url = "http://h/v1beta" })
      raises('unknown gateway "litelm": did you mean "litellm"%?', { gateway = "litelm" })
      raises('unknown key "autj": did you mean "auth"%?', { gateway = { autj = "bearer" } })
      raises("auth: expected", { gateway = { auth = "basic" } })
      raises("expected", { gateway = 5 })
      assert.truthy(llm.new({ gateway = "openrouter", base_url = "http://h/v1beta", api_path = "" }))
    end)

    it("gets its key and ids in the fields that it knows", function()
      local function fields_of(options, more)
        options.api_key, options.app_id, options.org_id = "gw_key_12345", "my-app", "my-org"
        local client = support.client(gateway, options, "/~echo")
        return select(2, support.echoed(assert(client:chat(support.ask("x", more)))))
      end
      local seen = fields_of({ gateway = "litellm" })
      assert.same({ "Bearer gw_key_12345", nil }, { seen.authorization, seen["x-api-key"] })
      seen = fields_of({ gateway = "anthropic" })
      assert.same({ nil, "gw_key_12345" }, { seen.authorization, seen["x-api-key"] })
      seen = fields_of({ gateway = "cloudflare", provider_key = "sk_provider_1" })
      assert.same({ "Bearer sk_provider_1", "Bearer gw_key_12345", nil },
        { seen.authorization, seen["cf-aig-authorization"], seen["x-api-key"] })
      seen = fields_of({ gateway = "litellm" }, { provider_key = "sk_provider_1" })
      assert.same({ "Bearer sk_provider_1", "gw_key_12345" }, { seen.authorization, seen["x-api-key"] })
      seen = fields_of({ gateway = "openrouter" })
      assert.same({ "my-app", nil, "my-org" }, { seen["x-title"], seen["x-app-id"], seen["x-org-id"] })
      seen = fields_of({ gateway = "openai" })
      assert.same({ "my-org", nil, "my-app" },
        { seen["openai-organization"], seen["x-org-id"], seen["x-app-id"] })
      seen = fields_of({ gateway = { auth = { header = "X-Mine", prefix = "Key " } } })
      assert.same({ "Key gw_key_12345", nil }, { seen["x-mine"], seen.authorization })
    end)
  end)

  it("has its query on every call, beside the call's own", function()
    local version = "/openai/deployments/d/?api-version=2024-10-21"
    assert.equal("/openai/deployments/d/chat/completions?api-version=2024-10-21", (seen_path(version)))
    local client = support.client(gateway, nil, "/~echo" .. version)
    local function path_of(path) return assert(client:request({ path = path, body = {} })).path end
    assert.equal("/v1/x?top=1&api-version=2024-10-21", (path_of("/~echo/v1/x?top=1"):gsub("^/~echo/~echo", "")))
    assert.equal("/v1/x?api-version=new", (path_of("/~echo/v1/x?api-version=new"):gsub("^/~echo/~echo", "")))
    assert.equal("/v1/x?api-version=2024-10-21", (path_of("/~echo/v1/x"):gsub("^/~echo/~echo", "")))
  end)

  it("may be told by api_path, which decides outright", function()
    for _, case in ipairs({
      { "", "", "" }, { "/gw", "", "/gw" }, { "", "/api", "/api" }, { "/v1", "", "/v1" }, { "/v1", "/v1", "/v1" },
      { "/a/v1", "/x", "/a/v1/x" }, { "", "/v1beta/openai/", "/v1beta/openai" },
    }) do
      assert.equal(case[3] .. "/chat/completions", (seen_path(case[1], { api_path = case[2] })), case[1])
    end
    for _, bad in ipairs({ "v1", "//v1", "/v 1", "/v1?x=1", 5 }) do
      assert.has_error(function() llm.new({ api_path = bad }) end)
    end
  end)

  it("has its other endpoints beside the chats, and what is no API's below the root", function()
    local options = { base_url = "/llm" }
    assert.equal("/llm/v1/embeddings", reached(options, "embeddings", { input = "x" }))
    assert.equal("/llm/v1/models", reached(options, "models"))
    assert.equal("/llm/health", reached(options, "health"))
    assert.equal("/llm/v1/rerank", reached(options, "request", { path = "/v1/rerank" }))
    options.base_url = "/v1beta/openai"
    assert.equal("/v1beta/openai/models", reached(options, "models"))
    assert.equal("/health", reached(options, "health"))
    assert.equal("/v1beta/files", reached(options, "request", { path = "/v1beta/files" }))
    options.base_url = "/v1"
    assert.equal("/v1/rerank", reached(options, "request", { path = "/v1/rerank" }))
  end)

  it("may name a host called v1", function()
    local client = llm.new({ base_url = "http://v1", on_request = function(about) error(about, 0) end })
    local ok, about = pcall(client.models, client)
    assert.equal("http://v1/v1/models", ok or about.url)
    assert.equal("llm_gateway client (http://v1)", tostring(llm.new({ base_url = "http://v1" })))
  end)

  describe("in a 404", function()
    local function told(path, body, verb, request)
      local client = support.answering(gateway, body or '{"detail":"Not Found"}', { status = 404 })
      local base = tostring(client):match("%((.-)%)")
      local script = require("llm_gateway.core").config(client).base_url:sub(#base + 1)
      local other = client:with({ base_url = base .. script .. path })
      local _, err = other[verb or "chat"](other, request or support.ask("x"))
      assert.equal("not_found", err.kind)
      return (err.message:gsub(base:gsub("%p", "%%%0") .. script:gsub("%p", "%%%0"), "U"))
    end

    it("is named, with the other reading where the rule guessed", function()
      assert.equal('Not Found (POST U/v1/chat/completions; should it be U/chat/completions, give api_path = "")',
        told(""))
      assert.equal('Not Found (POST U/llm/v1/chat/completions; should it be U/llm/chat/completions, '
        .. 'give api_path = "")', told("/llm"))
      assert.equal('Not Found (POST U/v8/team/chat/completions; should it be U/v8/team/v1/chat/completions, '
        .. 'give api_path = "/v1")', told("/v8/team"))
    end)

    it("is named alone where the address is certain, without its query", function()
      assert.equal("Not Found (POST U/api/v1/chat/completions)", told("/api/v1"))
      assert.equal("Not Found (POST U/openai/deployments/d/chat/completions?...)",
        told("/openai/deployments/d?api-version=1&key=hidden_key_1"))
      assert.equal("Not Found (GET U/health)", told("", nil, "health", {}))
      assert.equal("Not Found (POST U/v1/x?...)", told("", nil, "request", { path = "/v1/x?key=hidden_key_1" }))
    end)

    it("is left out where a policy refused: the URL was right", function()
      local client = support.answering(gateway,
        '{"error":{"message":"No endpoints found matching your data policy","code":404}}', { status = 404 })
      local _, err = client:chat(support.ask("x"))
      assert.same({ "policy_denied", "No endpoints found matching your data policy" }, { err.kind, err.message })
    end)

    it("is left out where something else is missing", function()
      assert.equal("model 'x' not found", told("", [[{"error":{"message":"model 'x' not found"}}]]))
    end)
  end)
end)
