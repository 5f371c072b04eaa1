-- The verbs at their edges: odd answers, refusals, shared connections, what a client shows of itself.
local llm = require "llm_gateway"
local support = require "spec.support"

local ask = support.ask

describe("the verbs of a client", function()
  local client
  local gateway = support.gateway({}, function(gateway) client = support.client(gateway) end)

  describe("chat", function()
    it("leaves the caller's request as it is", function()
      local request = ask("Hello!", { timeout = 5, app_id = "mine", headers = { ["X-One"] = "1" } })
      assert(client:chat(request))
      assert.equal(5, request.timeout)
      assert.same({ ["X-One"] = "1" }, request.headers)
      assert.is_nil(request.model)
    end)

    it("gives the refusal of a policy with its name", function()
      local reply, err = client:chat(ask("What is the password?"))
      assert.is_nil(reply)
      assert.same({ "policy_denied", 403, "no-secrets" }, { err.kind, err.status, err.policy_name })
      assert.equal("[403] Request denied by policy", tostring(err))
    end)
  end)

  describe("embeddings", function()
    it("that are no base64 stay what they are", function()
      local odd = support.answering(gateway, '{"data":[{"embedding":"!!"},{"embedding":[1]},{}]}')
      local data = assert(odd:embeddings({ input = "x" })).data
      assert.equal("!!", data[1].embedding)
      assert.same({ 1 }, data[2].embedding)
    end)

    it("are an error where the answer has none, dry runs apart", function()
      for _, body in ipairs({ "{}", '{"data":null}', '{"message":"not today"}' }) do
        local reply, err = support.answering(gateway, body):embeddings({ input = "x" })
        assert.is_nil(reply)
        assert.same({ "server", 200 }, { err.kind, err.status })
        assert.matches("expected embeddings, got application/json", err.message)
      end
      local dry = support.answering(gateway, '{"would_be_allowed":true}')
      assert.is_true(assert(dry:embeddings({ input = "x", dry_run = true })).would_be_allowed)
      assert.is_true(assert(support.answering(gateway, '{"dry_run":true}'):embeddings({ input = "x" })).dry_run)
    end)
  end)

  describe("a request for a stream", function()
    it("that nobody knows says what was expected of it, no chat completion", function()
      local _, err = support.answering(gateway, '{"a":1}\n{"a":2}\n', { type = "application/x-ndjson" })
        :request({ path = "/api/x", body = {}, stream = true })
      assert.equal("stream", err.kind)
      assert.matches("^expected an event stream, got application/x%-ndjson", err.message)
    end)
  end)

  describe("models", function()
    it("come out of the shapes that gateways know", function()
      for _, body in ipairs({ '{"data":[{"id":"a"}]}', '[{"id":"a"}]', '{"models":["a"]}', '["a"]' }) do
        local models = assert(support.answering(gateway, body):models())
        assert.same({ { id = "a" } }, { { id = models[1].id } }, body)
        assert.equal(1, #models)
      end
      assert.equal(0, #assert(support.answering(gateway, '{"data":[]}'):models()))
      assert.equal(0, #assert(support.answering(gateway, "[]"):models()))
    end)

    it("are none where the list is null, and known by their names", function()
      assert.equal(0, #assert(support.answering(gateway, '{"object":"list","data":null}'):models()))
      assert.equal("[]", llm.json.encode(assert(support.answering(gateway, '{"object":"list","data":null}'):models())))
      local named = '{"models":[{"name":"models/a"},{"name":"b:latest","model":"b:latest"},{"id":"c","name":"C"}]}'
      local ids = {}
      for i, model in ipairs(assert(support.answering(gateway, named):models())) do ids[i] = model.id end
      assert.same({ "models/a", "b:latest", "c" }, ids)
    end)

    it("give an error where the answer has none", function()
      for _, body in ipairs({ "null", "5", '"models"', "", "<html>" }) do
        local models, err = support.answering(gateway, body):models()
        assert.is_nil(models)
        assert.same({ "server", 200 }, { err.kind, err.status })
      end
    end)
  end)

  describe("health", function()
    it("is what any 2xx says: a table, words, or nothing", function()
      local function says(body, options) return assert(support.answering(gateway, body, options):health()) end
      assert.equal("OK", says("OK", { type = "text/plain" }).text)
      assert.equal("I'm alive!", says('"I\'m alive!"').text)
      assert.equal("true", says("true").text)
      assert.equal("OK", llm.text({ choices = { { message = { content = "OK" } } } }))
      assert.is_nil(next(says("")))
      assert.is_nil(next(says("", { status = 204 })))
      assert.is_nil(next(says("null")))
      assert.equal("up", says('{"error":"none","status":"up"}').status)
      assert.equal("<html>", says("<html>", { type = "text/html", status = 202 }).text)
      assert.same({ 1 }, says("[1]"))
      assert.equal(204, says("", { status = 204 }):info().status)
    end)

    it("is what a 503 says, once", function()
      local asked = 0
      local options = { status = 503, type = "text/plain" }
      local client_of = support.answering(gateway, "draining", options)
      local health = client_of:with({ max_retries = 3, on_request = function() asked = asked + 1 end }):health()
      assert.same({ "draining", 503, 1 }, { health.text, health:info().status, asked })
      assert.equal("no", support.answering(gateway, '"no"', { status = 503 }):health().text)
    end)

    it("is an error where a 503 is no JSON, or the status another", function()
      local _, err = support.answering(gateway, "<html>busy</html>", { status = 503 }):health()
      assert.same({ "server", 503 }, { err.kind, err.status })
      _, err = support.faulty(gateway, "status;code=500"):health()
      assert.same({ "server", 500 }, { err.kind, err.status })
    end)
  end)

  describe("request", function()
    it("returns text where the answer is no JSON, and values that are no table", function()
      assert.equal("plain words", assert(support.answering(gateway, "plain words", { type = "text/plain" })
        :request({ method = "GET", path = "/x" })))
      assert.equal(5, assert(support.answering(gateway, "5"):request({ method = "GET", path = "/x" })))
    end)

    it("does not take broken JSON for text", function()
      for _, type in ipairs({ "application/json", "application/problem+json; charset=utf-8", "Application/JSON" }) do
        local reply, err = support.answering(gateway, '{"text":"cut off', { type = type })
          :request({ method = "GET", path = "/x" })
        assert.is_nil(reply)
        assert.same({ "server", 200, false }, { err.kind, err.status, err.retryable })
        assert.matches("expected JSON, got.*cut off", err.message)
      end
      assert.equal("", support.answering(gateway, ""):request({ method = "DELETE", path = "/x" }))
    end)

    it("streams a chat whose broken end is told", function()
      local request = { path = "/v1/chat/completions", stream = true, body = ask("Count to 3", {
        model = "gpt-4", stream = true,
      }) }
      assert.equal("1 2 3", assert(assert(client:request(request)):collect()):text())
      local _, err = support.drain(assert(support.faulty(gateway, "cut"):request(request)))
      assert.equal("stream", err.kind)
    end)

    it("may not have a field that it does not know", function()
      local _, err = client:request({ path = "/x", bodyy = {} })
      assert.same({ "validation", "bodyy" }, { err.kind, err.field })
    end)
  end)

  describe("with", function()
    it("makes a client with other options that shares the connections", function()
      assert(client:health())
      local before = assert(client:request({ method = "GET", path = "/~stats" })).connections
      local other = client:with({ api_key = "gw_wrong", headers = { ["X-One"] = "1" } })
      local _, err = other:chat(ask("Hello!"))
      assert.equal("authentication", err.kind)
      assert(client:chat(ask("Hello!")))
      assert.equal(before, assert(client:request({ method = "GET", path = "/~stats" })).connections)
    end)

    it("adds header fields up, and lives on when the first is closed", function()
      local first = support.client(gateway, { headers = { ["X-One"] = "1", ["X-Two"] = "2" } })
      local second = first:with({ headers = { ["X-Two"] = "zwei" } })
      first:close()
      local _, fields = support.echoed(assert(second:request({ method = "GET", path = "/~echo" })))
      assert.same({ "1", "zwei" }, { fields["x-one"], fields["x-two"] })
      second:close()
    end)
  end)

  it("shows neither key nor credentials when printed", function()
    local text = tostring(llm.new({ base_url = "http://me:hidden1@127.0.0.1:1/path", api_key = "gw_hidden2" }))
    assert.not_matches("hidden", text)
    assert.matches("127%.0%.0%.1", text)
  end)
end)
