-- One word for how hard to think becomes what each gateway takes.
local gateways = require "llm_gateway.gateways"
local json = require "llm_gateway.json"
local reasoning = require "llm_gateway.helpers.reasoning"
local support = require "spec.support"

describe("reasoning", function()
  local function put(level, way, body)
    body = body or {}
    body.reasoning = level
    local err = reasoning.put(body, way)
    return err or body
  end

  it("is a field of the gateway's", function()
    assert.same({ reasoning_effort = "high" }, put("high"))
    assert.same({ reasoning_effort = "none" }, put(false))
    assert.same({ reasoning = { effort = "low" } }, put("low", "reasoning"))
    assert.same({ reasoning = { effort = "none" } }, put(false, "reasoning"))
    assert.same({ thinking = { type = "enabled", budget_tokens = 4096 } }, put("medium", "thinking"))
    assert.same({ thinking = { type = "disabled" } }, put(false, "thinking"))
    assert.same({ thinking = { type = "enabled" } }, put("low", "thinking_type"))
    assert.same({ enable_thinking = false }, put(false, "enable_thinking"))
    assert.same({ think = "low" }, put("low", "think"))
  end)

  it("leaves tokens to answer with", function()
    assert.same(1999, put("medium", "thinking", { max_tokens = 2000 }).thinking.budget_tokens)
    assert.same("reasoning", put("low", "thinking", { max_tokens = 1024 }).field)
  end)

  it("leaves a gateway's own form alone", function()
    assert.same({ reasoning = { max_tokens = 5 } }, put({ max_tokens = 5 }))
    assert.same({}, put(nil))
  end)

  it("is refused where it means nothing, or twice", function()
    for _, level in ipairs({ "hard", 3, true }) do
      assert.same("reasoning", put(level).field)
      assert.same("validation", put(level).kind)
    end
    assert.same("reasoning", put("low", nil, { reasoning_effort = "high" }).field)
  end)

  it("is known of those gateways that differ", function()
    local known = { openrouter = "reasoning",
      anthropic = "thinking", zhipu = "thinking_type", openai = "reasoning_effort" }
    for name, way in pairs(known) do assert.same(way, gateways.named(name).reasoning) end
  end)

  describe("in a chat", function()
    local gateway = support.gateway()

    local function sent(options, level)
      assert(support.client(gateway, options):chat(support.ask("Hello", { reasoning = level })))
      local last = support.client(gateway):request({ method = "GET", path = "/~stats" }).last
      return json.decode(last.body)
    end

    it("goes out as OpenAI has it", function()
      local body = sent(nil, "low")
      assert.same("low", body.reasoning_effort)
      assert.is_nil(body.reasoning)
    end)

    it("goes out as the named gateway has it", function()
      local function of(name, level) return sent({ gateway = name, api_path = "/v1" }, level) end
      assert.same({ effort = "high" }, of("openrouter", "high").reasoning)
      assert.same({ type = "disabled" }, of("anthropic", false).thinking)
      assert.same({ type = "enabled" }, of("zhipu", "low").thinking)
      assert.is_false(of("dashscope", false).enable_thinking)
      assert.same("none", of("litellm", false).reasoning_effort)
    end)
  end)
end)
