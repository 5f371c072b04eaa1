-- Structured output: schemas, reply:parsed(), and what tells a refusal from an answer that was cut or does not fit.
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local schemas = require "llm_gateway.helpers.json_schema_faults"
local support = require "spec.support"

local CITY = {
  type = "object", additionalProperties = false, required = { "city", "degrees" },
  properties = { city = { type = "string" }, degrees = { type = "number" } },
}

local function object(properties, required)
  return { type = "object", properties = properties, required = required }
end

describe("a JSON Schema", function()
  -- What is wrong with a JSON text; nil when it fits.
  local function fault(schema, text)
    local compiled, message, where = schemas.compile(schema, "schema")
    assert(compiled, tostring(where) .. ": " .. tostring(message))
    local said, path = compiled:check((json.decode(text)))
    return said, path
  end

  local ITEM = object({ price = { type = "number" }, next = { ["$ref"] = "#/$defs/item" } }, { "price" })

  local FITTING = {
    { {}, "1" }, { true, "1" }, { { type = "integer" }, "3" }, { { type = "integer" }, "3.0" },
    { { type = { "string", "null" } }, '"x"' }, { { type = "array" }, "[]" }, { { type = "object" }, "{}" },
    { object({ a = { type = "string", nullable = true } }, { "a" }), '{"a":null}' },
    { object({ a = { type = { "string", "null" } } }, { "a" }), '{"a":null}' },
    { object({ a = { anyOf = { { type = "null" }, { type = "number" } } } }, { "a" }), '{"a":null}' },
    { { enum = { "a", 1, json.null } }, "1" }, { { const = { a = { 1, 2 } } }, '{"a":[1,2]}' },
    { { minimum = 1, maximum = 2 }, "2" }, { { multipleOf = 0.1 }, "0.3" },
    { { minLength = 2, maxLength = 2 }, '"äö"' },
    { { items = { type = "number" } }, "[1,2]" }, { { prefixItems = { { type = "number" } }, items = false }, "[1]" },
    { { uniqueItems = true }, "[1,2,[1],[2]]" }, { { ["not"] = { type = "string" } }, "1" },
    { { oneOf = { { type = "string" }, { type = "number" } } }, "1" },
    { { allOf = { { minimum = 1 }, { maximum = 3 } } }, "2" },
    { { ["$defs"] = { item = ITEM }, ["$ref"] = "#/$defs/item" }, '{"price":1,"next":{"price":2}}' },
    { { format = "date-time" }, '"2024-02-29T23:59:60.5+01:00"' }, { { format = "ipv6" }, '"::ffff:1.2.3.4"' },
    { { format = "uuid" }, '"123e4567-e89b-12d3-a456-426614174000"' }, { { format = "email" }, '"a.b@example.org"' },
    { { format = "duration" }, '"P1DT12H"' }, { { format = "uri" }, '"https://example.org/a?b#c"' },
    { { format = "time" }, '"10:00:00Z"' }, { { format = "hostname" }, '"example.org"' },
    { { format = "ipv4" }, '"1.2.3.4"' },
    { { title = "t", description = "d", default = 1, examples = { 1 }, ["x-own"] = 1 }, "1" },
  }

  local FAILING = {
    { { type = "string" }, "1", "", "expected text, got 1" },
    { { type = { "string", "null" } }, "[1]", "", "expected text or null, got a list" },
    { { type = "array" }, "{}", "", "expected a list, got an object" },
    { { type = "object" }, "[]", "", "expected an object, got a list" },
    { { type = "integer" }, "3.5", "", "expected a whole number, got 3.5" },
    { object({ a = {} }, { "a" }), "{}", "a", "is missing" },
    { object({ a = { type = "string" } }, { "a" }), '{"a":null}', "a", "is missing" },
    { object({ ["a b"] = { type = "string" } }), '{"a b":1}', '["a b"]', "expected text, got 1" },
    { { additionalProperties = false }, '{"x":1}', "x", "is no field that the schema has" },
    { { additionalProperties = { type = "string" } }, '{"x":1}', "x", "expected text, got 1" },
    { object({ items = { type = "array", items = ITEM }, ["$defs"] = nil }), '{"items":[{"price":1},{"price":"x"}]}',
      "items[2].price", 'expected a number, got "x"', { ["$defs"] = { item = ITEM } } },
    { { enum = { "a", "b" } }, '"c"', "", 'expected one of "a", "b", got "c"' },
    { { const = 1 }, "2", "", "expected 1, got 2" },
    { { minimum = 3 }, "2", "", "expected a number from 3, got 2" },
    { { exclusiveMaximum = 3 }, "3", "", "expected a number below 3, got 3" },
    { { multipleOf = 2 }, "3", "", "expected a number that is a multiple of 2, got 3" },
    { { minLength = 3 }, '"äö"', "", "expected at least 3 characters, got 2" },
    { { maxItems = 1 }, "[1,2]", "", "expected at most 1 item, got 2" },
    { { minProperties = 1 }, "{}", "", "expected at least 1 field, got 0" },
    { { uniqueItems = true }, "[1,[2],[2]]", "[3]", "is the same as item 2" },
    { { prefixItems = { { type = "number" } }, items = false }, "[1,2]", "[2]", "is one item too many" },
    { { ["not"] = { type = "string" } }, '"x"', "", "fits what it may not fit (not)" },
    { { oneOf = { { minimum = 1 }, { maximum = 3 } } }, "2", "", "fits 2 of what may fit only one (oneOf)" },
    { { anyOf = { { type = "string" }, object({ a = { type = "number" } }) } }, '{"a":"x"}', "a",
      'expected a number, got "x"' },
    { { format = "date" }, '"2023-02-29"', "", 'is no date: "2023-02-29"' },
    { { ["$ref"] = "#" }, "1", "", "the schema's $refs lead in a circle here" },
  }

  it("takes what fits it", function()
    for _, case in ipairs(FITTING) do
      local message, path = fault(case[1], case[2])
      assert(message == nil, ("%s: %s %s"):format(case[2], tostring(message), tostring(path)))
    end
  end)

  it("says where a value does not fit it", function()
    for _, case in ipairs(FAILING) do
      for name, more in pairs(case[5] or {}) do case[1][name] = more end
      local message, path = fault(case[1], case[2])
      assert.same({ case[4], case[3] }, { message, path })
    end
  end)

  it("is as deep as its value", function()
    local schema = { ["$defs"] = { item = ITEM }, ["$ref"] = "#/$defs/item" }
    assert.is_nil((fault(schema, ('{"price":1,"next":'):rep(400) .. '{"price":1}' .. ("}"):rep(400))))
    local _, path = fault(schema, ('{"price":1,"next":'):rep(400) .. '{"price":true}' .. ("}"):rep(400))
    assert.same(401, select(2, path:gsub("next", "")) + 1)
  end)

  it("has a fault where it cannot be checked, and says where", function()
    local cycle = object({})
    cycle.properties.me = cycle
    for _, case in ipairs({
      { { pattern = "^a" }, "s.pattern", "no Lua pattern" },
      { object({ a = { items = { ["if"] = {} } } }), "s.properties.a.items.if", "no keyword" },
      { { ["$ref"] = "https://example.org/x.json" }, 's["$ref"]', "leads out of this schema" },
      { { ["$ref"] = "#/$defs/none" }, 's["$ref"]', "leads nowhere" },
      { { ["$ref"] = "#/x-own", ["x-own"] = { pattern = "a" } }, "s(#/x-own).pattern", "no Lua pattern" },
      { { type = "strin" }, "s.type", "expected one of" },
      { { type = { "string", "x" } }, "s.type[2]", "expected one of" },
      { { format = "regex" }, "s.format", "not checked here" }, { { enum = {} }, "s.enum", "one at least" },
      { { items = { { type = "string" } } }, "s.items", "prefixItems" },
      { { anyOf = {} }, "s.anyOf", "one at least" },
      { { required = "a" }, "s.required", "expected a list" }, { { minLength = -1 }, "s.minLength", "0 or a whole" },
      { object({ city = "string" }), "s.properties.city", "expected a schema" },
      { { "string" }, "s", "keywords are text" },
      { cycle, "s.properties.me", "contains itself" }, { "string", "s", "expected a schema" },
    }) do
      local compiled, message, where = schemas.compile(case[1], "s")
      assert.is_nil(compiled)
      assert.same(case[2], where)
      assert.matches(case[3], message, 1, true)
    end
  end)
end)

describe("structured output", function()
  local client
  local gateway = support.gateway(nil, function(started) client = support.client(started) end)

  local function sent(format)
    local question = 'What is the weather in "Paris"? 21'
    local reply = llm.assert(client:chat(support.ask(question, { response_format = format })))
    local last = client:request({ method = "GET", path = "/~stats" }).last
    return json.decode(last.body).response_format, reply
  end

  it("is asked for by a schema", function()
    local format, reply = sent(CITY)
    assert.same("json_schema", format.type)
    assert.same("answer", format.json_schema.name)
    assert.same(true, format.json_schema.strict)
    assert.same(CITY.properties.city, format.json_schema.schema.properties.city)
    assert.same({ city = "Paris", degrees = 21 }, reply:parsed())
    assert.equal(reply:parsed(), reply:parsed())
    assert.same(reply:parsed(), llm.parsed(reply))
  end)

  it("is asked for by a named schema, by the API's form and by a word", function()
    local loose = object({ city = { type = "string" } })
    assert.same({ name = "place", schema = loose }, sent({ name = "place", schema = loose }).json_schema)
    assert.same("place", sent({ title = "place", type = "object" }).json_schema.name)
    local wire = { type = "json_schema", json_schema = { name = "x", schema = loose } }
    assert.same(wire, (sent(wire)))
    assert.same({ type = "json_object" }, (sent("json_object")))
    local _, reply = sent("json_object")
    assert.same("table", type(reply:parsed()))
  end)

  it("leaves the caller's tables alone, and extra_body too", function()
    local request = support.ask("Hello", { response_format = CITY })
    assert(client:chat(request))
    assert.equal(CITY, request.response_format)
    request.extra_body = { response_format = { type = "text" } }
    assert(client:chat(request))
    local last = client:request({ method = "GET", path = "/~stats" }).last
    assert.same({ type = "text" }, json.decode(last.body).response_format)
  end)

  it("refuses a schema it could not check", function()
    local function field(format)
      local reply, err = client:chat(support.ask("Hello", { response_format = format }))
      assert.is_nil(reply)
      assert.same("validation", err.kind)
      return err.field
    end
    assert.same("response_format.properties.a.pattern", field(object({ a = { pattern = "x" } })))
    assert.same("response_format.schema.type", field({ name = "x", schema = { type = "x" } }))
    assert.same("response_format.json_schema.schema.pattern",
      field({ type = "json_schema", json_schema = { name = "x", schema = { pattern = "x" } } }))
    assert.same("response_format.nam", field({ nam = "x", schema = {} }))
    assert.same("response_format", field("yaml"))
    assert.same("response_format", field(3))
  end)

  describe("of an answer", function()
    local function parsed(message, reason, format)
      local body = ('{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant",%s},'
        .. '"finish_reason":"%s"}]}'):format(message, reason or "stop")
      local request = support.ask("Hi", { response_format = format or CITY })
      local reply = assert(support.answering(gateway, body):chat(request))
      local value, err = reply:parsed()
      assert.is_true(value ~= nil or llm.is_error(err))
      return value, err
    end
    local function content(text) return '"content":' .. json.encode(text) end

    it("that does not fit says where", function()
      local value, err = parsed(content('{"city":"Paris","degrees":"warm"}'))
      assert.is_nil(value)
      assert.same({ "validation", "degrees", nil }, { err.kind, err.field, err.code })
      assert.same('degrees: expected a number, got "warm"', err.message)
      assert.is_false(err.retryable)
      value, err = parsed(content("[1]"))
      assert.is_nil(value)
      assert.is_nil(err.field)
      assert.same("expected an object, got a list", err.message)
    end)

    it("that is none says why", function()
      assert.same("refusal", select(2, parsed('"refusal":"I will not."')).code)
      assert.matches("I will not", select(2, parsed('"refusal":"I will not."')).message)
      assert.same("refusal", select(2, parsed('"content":""', "content_filter")).code)
      assert.same("length", select(2, parsed(content('{"city":"Par'), "length")).code)
      assert.same("length", select(2, parsed(content('{"city":"Paris","degrees":1}'), "length")).code)
      assert.same("invalid_json", select(2, parsed(content("It is warm."))).code)
      assert.same("empty", select(2, parsed('"content":null')).code)
    end)

    it("is any JSON where no schema was asked for", function()
      assert.same({ 1, 2 }, parsed(content("[1,2]"), nil, { type = "json_object" }))
    end)

    it("is checked when it was streamed, too", function()
      local function collected(text)
        local events = { support.delta('"delta":{"content":' .. json.encode(text) .. "}"),
          support.delta('"delta":{},"finish_reason":"stop"'), "[DONE]" }
        local request = support.ask("Hi", { response_format = CITY, stream = true })
        local stream = support.streaming(gateway, events):chat(request)
        return assert(stream:collect()):parsed()
      end
      assert.same({ city = "Rome", degrees = 30 }, collected('{"city":"Rome","degrees":30}'))
      assert.same("degrees", select(2, collected('{"city":"Rome"}')).field)
    end)

    describe("as it grows", function()
      local function growing(pieces, reason)
        local events = {}
        for i, piece in ipairs(pieces) do
          events[i] = support.delta('"delta":{"content":' .. json.encode(piece) .. "}")
        end
        if reason then table.insert(events, support.delta('"delta":{},"finish_reason":"' .. reason .. '"')) end
        table.insert(events, reason and "[DONE]" or nil)
        local request = support.ask("Hi", { response_format = CITY, stream = true })
        local seen = {}
        local ok, err = pcall(function()
          for value in llm.assert(support.streaming(gateway, events):chat(request)):partial() do
            table.insert(seen, json.encode(value))
          end
        end)
        return seen, not ok and err or nil
      end

      it("shows strings at once and numbers once they are closed", function()
        local seen, err = growing({ '{"ci', 'ty":"Pa', "ris", '","degrees":2', "1", "}" }, "stop")
        assert.is_nil(err)
        assert.same({ "{}", '{"city":"Pa"}', '{"city":"Paris"}', '{"city":"Paris"}', '{"city":"Paris"}',
          '{"city":"Paris","degrees":21}', '{"city":"Paris","degrees":21}' }, seen)
      end)

      it("ends with what is wrong", function()
        local seen, err = growing({ '{"city":"Paris"', "}" }, "stop")
        assert.same({ '{"city":"Paris"}', '{"city":"Paris"}' }, seen)
        assert.same("degrees", err.field)
        assert.same("length", select(2, growing({ '{"city":"Par' }, "length")).code)
        assert.same("invalid_json", select(2, growing({ "It is ", "warm" }, "stop")).code)
        assert.same("stream", select(2, growing({ '{"city":"Par' })).kind)
      end)
    end)

    it("that ends a run of tools is checked, too", function()
      local request = support.ask('Say: {"city":"Rome"}', { response_format = CITY, tools = {} })
      local reply = llm.assert(client:run_tools(request))
      assert.is_truthy(reply:parsed() or select(2, reply:parsed()))
    end)
  end)
end)
