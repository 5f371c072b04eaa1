-- field_spec.lua: answers that were met in the field, each played by a scripted gateway: bodies, streams, the errors
-- they stand for. spec/fixtures/field.json has them; `message_has` is a part of a message, false is nothing.

local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local shell = require "spec.shell"
local support = require "spec.support"

local function header_lines(fields)
  local lines = {}
  for name, value in pairs(fields or {}) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      if name ~= "Content-Type" then table.insert(lines, name .. ": " .. one) end
    end
  end
  return lines
end

local function steps_of(case)
  local headers = case.headers or {}
  local about = { status = case.status, type = headers["Content-Type"], headers = header_lines(headers) }
  about.length = case.chunks == nil
  return { support.answer(case.chunks and table.concat(case.chunks) or case.body, about) }
end

local function request_of(case)
  local request = type(case.request) == "table" and case.request or { stream = case.request == "stream" }
  local args = support.ask("x", request.args)
  args.stream = request.stream or nil
  return args, request
end

local function outcome_of(client, case)
  local args, request = request_of(case)
  local answer, err = client:chat(args)
  if not answer then return { err = err } end
  if not args.stream then return { text = answer:text() } end
  if request.collect then
    local whole
    whole, err = answer:collect()
    return { err = err, text = whole and whole:text() }
  end
  local chunks, texts
  chunks, err = support.drain(answer)
  texts = {}
  for i, chunk in ipairs(chunks) do texts[i] = chunk.choices[1] and chunk.choices[1].delta.content or "" end
  return { err = err, text = table.concat(texts), chunks = #chunks }
end

local function check_error(err, expected)
  assert.is_true(llm.is_error(err))
  for name, value in pairs(expected) do
    if name == "message_has" then
      assert.is_truthy(err.message:lower():find(value:lower(), 1, true), err.message)
    else
      assert.equal(value or nil, err[name] or nil, name)
    end
  end
end

local function check(outcome, expected, attempts)
  if expected.any_of then
    local ok = false
    for _, one in ipairs(expected.any_of) do ok = ok or pcall(check, outcome, one, attempts) end
    assert.is_true(ok)
    return
  end
  if expected.error then check_error(outcome.err, expected.error) else assert.is_nil(outcome.err) end
  if expected.text then assert.equal(expected.text, outcome.text) end
  if expected.chunks then assert.equal(expected.chunks, outcome.chunks) end
  if expected.requests then assert.equal(expected.requests, attempts) end
end

describe("met in the field", function()
  local gateway = support.gateway()

  for _, case in ipairs(assert(json.decode(shell.read("spec/fixtures/field.json"))).cases) do
    it(case.name, function()
      local attempts, options = 0, { timeout = 4 }
      for name, value in pairs(select(2, request_of(case)).options or {}) do options[name] = value end
      if support.is_curl8 and (case.headers or {})["Content-Encoding"] then -- wire_spec has why
        options.headers = { ["Accept-Encoding"] = "identity" }
      end
      function options.on_request() attempts = attempts + 1 end
      check(outcome_of(support.scripted(gateway, steps_of(case), options), case), case.expect, attempts)
    end)
  end
end)
