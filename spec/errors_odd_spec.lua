-- errors_odd_spec.lua: bodies that no gateway should send: tables of any shape under the names that errors are read
-- from. Whatever comes, there is an error of a known kind, with words, finite numbers and texts that are texts.

local errors = require "llm_gateway.errors"
local gateways = require "llm_gateway.gateways"

local KINDS = {
  authentication = true, rate_limit = true, validation = true, not_found = true, policy_denied = true,
  budget_exceeded = true, server = true, timeout = true, stream = true,
}

local TEXTS = {
  "None", "", "x", "Rate limit exceeded, try again in 3s", "Guardrail 'a' blocked", "429", "messages[0].content",
  "9e999",
  '{"error":{"code":"insufficient_quota"}}', "{'error': {'message': 'x', 'code': None}}",
  "2030-01-01T00:00:00Z", "-1",
  "[[[[", "{{{", "spend=1, budget=2", "\255\254", "12:00:00", "prompt is too long: 5 tokens > 4 maximum",
}
local NUMBERS = { 1e308, -1, 0.5, 0 / 0, 1 / 0, 2 ^ 53, 0, 7 }
local STATUSES = { 200, 302, 400, 401, 403, 404, 413, 422, 429, 446, 500, 503 }

local NAMES = {}
for name in ([[error errors detail details message code type status reason metadata raw param loc fault base_resp
  choices x_groq hook_results before_request_hooks deny verdict innererror content_filter_result filtered reasons
  finish_reason issues path data msg outcome status_code __type headers id]]):gmatch("%S+") do
  table.insert(NAMES, name)
end
for _, field in ipairs(gateways.meanings().field_list) do table.insert(NAMES, field.name) end
table.sort(NAMES)

local state = 42

-- A number from 1 to n, in a sequence that is always the same.
local function any(n)
  state = state * 16807 % (2 ^ 31 - 1)
  return state % n + 1
end

local function one_of(list) return list[any(#list)] end

local function value(depth)
  local choice = any(8)
  if choice <= 3 or depth > 4 then return one_of(TEXTS) end
  if choice == 4 then return one_of(NUMBERS) end
  if choice == 5 then return any(2) == 1 end
  local t = {}
  for i = 1, any(5) - 1 do t[choice == 6 and i or one_of(NAMES)] = value(depth + 1) end
  return t
end

local function answer()
  return {
    status = one_of(STATUSES), text = "{}", value = value(0), in_stream = any(2) == 1, event = any(5) == 1 and "error",
    headers = {
      ["retry-after"] = one_of(TEXTS), ["x-ratelimit-remaining"] = "0", ["x-ratelimit-reset"] = one_of(TEXTS),
    },
  }
end

local function check(err)
  assert.is_true(KINDS[err.kind])
  assert.is_true(type(err.message) == "string" and err.message ~= "")
  for _, name in ipairs({ "limit", "current", "retry_after" }) do
    local n = err[name]
    assert.is_true(n == nil or (type(n) == "number" and n == n and n < math.huge and n > -math.huge), name)
  end
  for _, name in ipairs({ "policy_name", "code", "request_id", "budget_type", "field" }) do
    assert.is_true(err[name] == nil or type(err[name]) == "string", name)
  end
  assert.is_true((err.retry_after or 0) >= 0)
end

describe("bodies of any shape", function()
  it("are errors all the same", function()
    for _ = 1, 5000 do
      local given = answer()
      errors.is_error_body(given.value)
      check(errors.of_answer(given))
    end
  end)
end)
