-- gateways_run.lua: what is asked of a real gateway (LiteLLM, Portkey) before each of the providers that the
-- development gateway plays, and what must come out; as specs of the describe that calls it. doc/conformance.md has the
-- table.
-- Leans on busted, luassert and the public contract.

local assert = require "luassert"
local busted = require "busted"
local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"
local support = require "spec.support"

local TOOL = { type = "function", ["function"] = { name = "get_weather", description = "The weather of a city",
  parameters = { type = "object", properties = { city = { type = "string" } }, required = { "city" } } } }

local M = {}

-- A port that the kernel found free a moment ago.
function M.free_port()
  local other = assert(devgateway.start({}))
  other:stop()
  return other.port
end

-- The kinds that each provider's refusals must have, and what else is known of them.
local LIMIT = { kind = "rate_limit", status = 429, retryable = true }
local FILTER = { kind = "policy_denied", status = 400, retryable = false }

M.upstreams = {
  openai = {
    authentication = { kind = "authentication", status = 401, retryable = false },
    rate_limit = { kind = "rate_limit", status = 429, retryable = true, retry_after = 20 },
    quota = { kind = "budget_exceeded", status = 429, retryable = false },
    filter = FILTER, overloaded = { kind = "server", status = 503, retryable = true },
  },
  lmstudio = {
    overloaded = { kind = "server", status = 500, retryable = true },
    too_large = { kind = "validation", status = 400, retryable = false, limit = 4096, current = 9000 },
  },
  anthropic = {
    authentication = { kind = "authentication", status = 401, retryable = false },
    rate_limit = { kind = "rate_limit", status = 429, retryable = true, retry_after = 20 },
    quota = { kind = "budget_exceeded", status = 400, retryable = false },
    filter = FILTER, overloaded = { kind = "server", status = 529, retryable = true },
  },
  bedrock = {
    authentication = { kind = "authentication", status = 403, retryable = false },
    rate_limit = LIMIT, quota = { kind = "budget_exceeded", status = 400, retryable = false },
    filter = FILTER, overloaded = { kind = "server", status = 503, retryable = true },
  },
  ollama = {
    missing = { kind = "not_found", status = 404, retryable = false },
    overloaded = { kind = "rate_limit", status = 503, retryable = true },
  },
}

local function cities_of(reply)
  local cities = {}
  for i, call in ipairs(reply.choices[1].message.tool_calls) do
    assert.equal("get_weather", call["function"].name)
    assert.matches("%S", call.id)
    cities[i] = llm.json.decode(call["function"].arguments).city
  end
  return cities
end

local function of_streams(ask, name, lost)
  busted.it("streams", function()
    local words, usage, reason = {}, nil, nil
    for chunk in llm.assert(ask("Count to 5", { stream = true, stream_options = { include_usage = true } })) do
      local choice = chunk.choices[1] or { delta = {} }
      table.insert(words, choice.delta.content)
      usage, reason = chunk.usage or usage, choice.finish_reason or reason
    end
    assert.equal("1 2 3 4 5", table.concat(words))
    assert.is_true(#words >= 5)
    assert.equal("stop", reason)
    if not lost.usage then assert.equal(5, usage.completion_tokens) end
  end)

  busted.it("tells an overload in mid-stream", function()
    local stream = llm.assert(ask("Break: overloaded\nCount to 9", { stream = true }))
    local reply, err = stream:collect()
    if lost.overload == true then return assert.is_nil(reply.choices[1].finish_reason) end
    assert.equal(lost.overload or "server", err.kind)
    assert.is_false(err.retryable)
    assert.matches("^1 2", err.partial)
  end)

  busted.it("ends a stream as it does that " .. name .. " breaks off", function()
    local reply, err = llm.assert(ask("Break: cut\nCount to 9", { stream = true })):collect()
    if lost.cut then return assert.equal("stop", reply.choices[1].finish_reason) end
    assert.equal("stream", err.kind)
    assert.matches("^1 2", err.partial)
  end)
end

local function of_tools(ask)
  busted.it("calls a tool", function()
    local reply = llm.assert(ask("What is the weather in Paris?", { tools = { TOOL } }))
    assert.equal("tool_calls", reply.choices[1].finish_reason)
    assert.same({ "Paris" }, cities_of(reply))
  end)

  busted.it("calls two tools, streamed", function()
    local stream = llm.assert(ask("What is the weather in Paris and Rome?", { tools = { TOOL }, stream = true }))
    local reply = llm.assert(stream:collect())
    assert.equal("tool_calls", reply.choices[1].finish_reason)
    assert.same({ "Paris", "Rome" }, cities_of(reply))
  end)

  busted.it("hands a tool's result over", function()
    local question = { role = "user", content = "What is the weather in Paris?" }
    local call = { id = "call_1", type = "function",
      ["function"] = { name = "get_weather", arguments = '{"city":"Paris"}' } }
    local reply = llm.assert(ask(nil, { tools = { TOOL }, messages = {
      question, { role = "assistant", tool_calls = { call } },
      { role = "tool", tool_call_id = "call_1", content = "clear sky" },
    } }))
    assert.matches("clear sky", reply:text())
  end)
end

local function of_ends(ask, lost)
  busted.it("tells that the answer was cut at its limit", function()
    assert.equal("length", llm.assert(ask("End: length\nCount to 9")).choices[1].finish_reason)
  end)

  for _, streamed in ipairs({ false, true }) do
    busted.it("tells that the provider's filter ended the answer" .. (streamed and ", streamed" or ""), function()
      local reply = llm.assert(ask("End: content_filter\nCount to 9", { stream = streamed }))
      if streamed then reply = llm.assert(reply:collect()) end
      assert.equal(lost.filter or "content_filter", reply.choices[1].finish_reason)
      assert.equal("1 2", reply:text())
    end)
  end
end

local function of_refusals(ask, refusals, lost)
  local names = {}
  for name in pairs(refusals) do table.insert(names, name) end
  table.sort(names)
  for _, name in ipairs(names) do
    for _, streamed in ipairs({ false, true }) do
      busted.it("reads its refusal: " .. name .. (streamed and ", streamed" or ""), function()
        local reply, err = ask("Refuse: " .. name, { stream = streamed })
        assert.is_nil(reply)
        for field, value in pairs(refusals[name]) do
          local expected = (lost[name] or {})[field]
          if expected == nil then expected = value end
          assert.equal(expected or nil, err[field] or nil, field)
        end
      end)
    end
  end
end

-- name: of an upstream. make_client(): a client of the gateway before it, whose `model` asks for that upstream.
-- lost: what the gateway itself loses, or {}:
--   cut        true: a stream that broke off seems whole
--   overload   of one that an overload ended: the kind that comes instead; true: it seems whole, but for its reason
--   filter     the finish_reason of an answer that a filter ended
--   usage      true: a stream has none
--   [refusal]  {field = what comes instead}
function M.specs(name, make_client, model, lost)
  local function ask(question, fields)
    local request = support.ask(question, fields)
    if fields and fields.messages then request.messages = fields.messages end
    request.model = model
    return make_client():chat(request)
  end

  busted.it("chats", function()
    local reply = llm.assert(ask("What is 6 times 7?"))
    assert.equal("6 * 7 = 42", reply:text())
    assert.equal("stop", reply.choices[1].finish_reason)
    assert.equal(5, reply.usage.completion_tokens)
  end)

  of_streams(ask, name, lost)
  of_tools(ask)
  of_ends(ask, lost)
  of_refusals(ask, M.upstreams[name], lost)
end

-- Embeddings of two texts by that model, or one by one.
function M.embeddings(make_client, model, one_by_one)
  busted.it("embeds, by " .. model, function()
    local input = one_by_one and "a cat" or { "a cat", "a dog" }
    local reply = llm.assert(make_client():embeddings({ model = model, input = input }))
    assert.equal(one_by_one and 1 or 2, #reply.data)
    assert.equal(256, #reply.data[1].embedding)
    assert.equal("number", type(reply.data[1].embedding[1]))
  end)
end

-- ---------------------------------------------------------------------------------------------------------
-- The other two dialects

local SCHEMA = TOOL["function"].parameters

local DIALECTS = {
  responses = {
    request = function(question) return { input = question } end,
    tool = { type = "function", name = "get_weather", parameters = SCHEMA },
    reason = function(reply) return reply.status end, good = "completed", cut = "incomplete",
  },
  messages = {
    request = function(question) return { max_tokens = 100, messages = { { role = "user", content = question } } } end,
    tool = { name = "get_weather", input_schema = SCHEMA },
    reason = function(reply) return reply.stop_reason end, good = "end_turn", cut = "max_tokens",
  },
}

-- How many calls of the tool a final object has.
local function calls_in(reply)
  local count = 0
  for _, item in ipairs(reply.output or reply.content) do
    if item.name == "get_weather" then count = count + 1 end
  end
  return count
end

-- A verb ("responses", "messages") through the gateway: plain and streamed. lost: as above, of this verb; `wait` is the
-- retry_after that is left of a 429's.
function M.dialect(verb, make_client, model, lost)
  local dialect = DIALECTS[verb]

  local function ask(question, fields)
    local request = dialect.request(question)
    for field, value in pairs(fields or {}) do request[field] = value end
    request.model = model
    local client = make_client()
    local answer, err = client[verb](client, request)
    if answer and request.stream then return answer:collect() end
    return answer, err
  end

  for _, streamed in ipairs({ false, true }) do
    local how = verb .. (streamed and ", streamed" or "")

    busted.it(how .. ": answers", function()
      local reply = llm.assert(ask("Count to 5", { stream = streamed }))
      assert.equal("1 2 3 4 5", llm.text(reply))
      assert.equal(dialect.good, dialect.reason(reply))
      assert.equal(5, reply.usage.output_tokens)
    end)

    busted.it(how .. ": calls tools", function()
      local question = "What is the weather in Paris and Rome?"
      assert.equal(2, calls_in(llm.assert(ask(question, { stream = streamed, tools = { dialect.tool } }))))
    end)

    busted.it(how .. ": tells that the answer was cut at its limit", function()
      local reply = llm.assert(ask("End: length\nCount to 9", { stream = streamed }))
      assert.equal(dialect.cut, dialect.reason(reply))
    end)

    busted.it(how .. ": reads refusals", function()
      local kinds = { rate_limit = "rate_limit", quota = "budget_exceeded", filter = "policy_denied",
        authentication = "authentication" }
      for name, kind in pairs(kinds) do
        local reply, err = ask("Refuse: " .. name, { stream = streamed })
        assert.is_nil(reply)
        assert.equal(kind, err.kind, name)
        assert.equal(kind == "rate_limit", err.retryable, name)
        if name == "rate_limit" then assert.equal(lost.wait, err.retry_after) end
      end
    end)
  end

  busted.it(verb .. ": tells an overload in mid-stream", function()
    local _, err = ask("Break: overloaded\nCount to 9", { stream = true })
    assert.equal(lost.overload or "server", err.kind)
    assert.matches("^1 2", err.partial)
  end)

  busted.it(verb .. ": ends a stream as it does that its provider breaks off", function()
    local reply, err = ask("Break: cut\nCount to 9", { stream = true })
    if lost.cut then return assert.equal(dialect.good, dialect.reason(reply)) end
    assert.equal("stream", err.kind)
    assert.matches("^1 2", err.partial)
  end)
end

return M
