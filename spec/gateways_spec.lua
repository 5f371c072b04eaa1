-- gateways_spec.lua: what is known of gateways: profiles by name, profiles of one's own, and what they mean together.

local gateways = require "llm_gateway.gateways"

describe("a gateway's profile", function()
  it("is found by name, complete", function()
    local litellm = assert(gateways.named("litellm"))
    assert.equal("/health/readiness", litellm.health_path)
    assert.same({ { header = "Authorization", prefix = "Bearer " } }, litellm.auth)
    assert.same({ "X-Org-ID", "X-Organization-Id" }, gateways.named("tensorwall").identity.org)
  end)

  it("of an unknown name is none; the nearest is told", function()
    for mistyped, name in pairs({ litelm = "litellm", OpenRouter = "openrouter", tensor = "tensorwall" }) do
      local profile, nearest = gateways.named(mistyped)
      assert.is_nil(profile)
      assert.equal(name, nearest)
    end
  end)

  it("passes the check that a user's own has to pass, each of them", function()
    for _, name in ipairs(gateways.names()) do
      local profile = gateways.named(name)
      assert.equal(name, profile.name)
      assert.is_table(gateways.check(require("llm_gateway.gateways." .. name)), name)
      assert.is_true(profile.auth[1] ~= nil and profile.api_path ~= nil, name)
    end
  end)

  -- A profile for each fault.
  local function faults_are(profiles)
    for fault, given in pairs(profiles) do
      local profile, message = gateways.check(given)
      assert.is_nil(profile)
      assert.equal(fault, message)
    end
  end

  it("of one's own is checked, and the key that is wrong named", function()
    assert.equal("X-Key", gateways.check({ auth = { header = "X-Key" } }).auth[1].header)
    faults_are({
      ['unknown key "api_pth": did you mean "api_path"?'] = { api_pth = "/v1" },
      ["api_path: expected a string, got a number"] = { api_path = 1 },
      ['auth: expected "bearer", "x-api-key" or {header = ..., prefix = ...}'] = { auth = "basic" },
      ['identity: unknown key "user": did you mean "app"?'] = { identity = { user = "X" } },
      ["expected a profile's table, got number"] = 5,
    })
  end)

  it("of one's own is checked to its last word", function()
    faults_are({
      ['codes: unknown kind "polcy_denied": did you mean "policy_denied"?'] = { codes = { polcy_denied = { "x" } } },
      ["codes.policy_denied: expected a list, got a string"] = { codes = { policy_denied = "x" } },
      ["codes.policy_denied: expected a list, got a table with names"] = { codes = { policy_denied = { a = "x" } } },
      ["codes.policy_denied[2]: is written in lower case"] = { codes = { policy_denied = { "x", "SPENT" } } },
      ["words.server[1]: expected text, got a number"] = { words = { server = { 5 } } },
      ["words.server[1].except: expected a list, got a string"] = { words = { server = { { "x", except = "y" } } } },
      ['fields: unknown fact "limits": did you mean "limit"?'] = { fields = { limits = { "x" } } },
      ['said[1]: unknown slot "limt": did you mean "limit"?'] = { said = { "of {limt}" } },
      ["said[1]: has no slot, such as {limit}"] = { said = { "of limit" } },
      ['statuses[403]: unknown kind "servr": did you mean "server"?'] = { statuses = { [403] = "servr" } },
      ["statuses: expected statuses for keys, got a string"] = { statuses = { x = "server" } },
      ["refusal_in_200: expected a list, got a table with names"] = { refusal_in_200 = { field = "x" } },
      ["refusal_in_200[1].field: expected text, got a nil"] = { refusal_in_200 = { { kind = "server" } } },
      ["identity.app: expected text, got a number"] = { identity = { app = 5 } },
    })
  end)
end)

describe("what answers mean", function()
  it("is one table of all profiles, made once", function()
    local all = gateways.meanings()
    assert.equal(all, gateways.meanings())
    assert.equal("budget_exceeded", all.codes.insufficient_quota)
    assert.equal("rate_limit", all.codes["1302"])
    assert.is_nil(all.codes["1004"]) -- two providers mean different things by it
  end)

  it("begins with the named one's own", function()
    assert.equal("authentication", gateways.meanings(gateways.named("zhipu")).codes["1002"])
    assert.equal("rate_limit", gateways.meanings(gateways.named("minimax")).codes["1002"])
    local mine = gateways.check({ codes = { policy_denied = { "insufficient_quota" } } })
    assert.equal("policy_denied", gateways.meanings(mine).codes.insufficient_quota)
  end)
end)
