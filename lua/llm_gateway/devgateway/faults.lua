-- devgateway/faults.lua: what goes wrong with servers, on demand: by the header X-Dev-Fault or the path /~fault/NAME/.
-- A fault is NAME, or NAME;option=value;option=value.
-- Leans on misdeeds (faults on the connection), raw and framed, completion and json. Never plays one unasked.

local json = require("llm_gateway.devgateway.json")
local checks = require("llm_gateway.devgateway.checks")
local completion = require("llm_gateway.devgateway.completion")
local framed = require("llm_gateway.devgateway.framed")
local misdeeds = require("llm_gateway.devgateway.misdeeds")
local raw = require("llm_gateway.devgateway.raw")

local DEFAULT = { model = "gpt-4", messages = { { role = "user", content = "Count to 12" } } }

-- A fault answers the question that was asked, as far as it answers.
local function answer_to(exchange, state)
  local body = json.decode(exchange.body)
  local usable = type(body) == "table" and not checks.chat(body)
  return completion.new(usable and body or DEFAULT, state.new_id), usable and body or DEFAULT
end

local function events_of(done)
  local events = {}
  for chunk in done:chunks() do events[#events + 1] = "data: " .. json.encode(chunk) .. "\n\n" end
  return events
end

local function parse(text)
  local name, options = text:match("^([^;]+)"), {}
  for option, value in text:gmatch(";([^;=]+)=([^;]*)") do options[option] = tonumber(value) or value end
  return name, options
end

local function fail(exchange, status, message)
  exchange:reply(status, { detail = message, error_code = "DEV_FAULT" })
end

local function way_out(exchange)
  return exchange.http.connection.version == 2 and framed or raw
end

local function play(state, exchange, fault, options)
  local out, message = way_out(exchange).take(exchange)
  if not out then return fail(exchange, 400, message) end
  local done, body = answer_to(exchange, state)
  fault(out, { done = done, body = body, events = events_of(done), options = options })
  out:close()
end

-- Faults that are ordinary answers, over any HTTP version.
local ANSWERS = {
  status = function(exchange, options)
    local code = options.code or 503
    local seconds = options.retry_after and tostring(options.retry_after)
    exchange:reply(code, { detail = "status " .. ("%d"):format(code) .. " on demand" },
      { ["retry-after"] = seconds })
  end,
  unhealthy = function(exchange)
    exchange:reply(503, { status = "unhealthy", service = "llm-gateway-dev" })
  end,
  slow = function(exchange, options)
    return exchange:wait(options.seconds or 1)
  end,
}

-- flaky;times=2;fault=NAME: the first requests meet that fault (default status), later ones go through.
local function is_spent(state, text, options)
  local met = state.flaky[text] or 0
  state.flaky[text] = met + 1
  return met >= (options.times or 1)
end

local function known_names()
  local names = { "flaky" }
  for name in pairs(misdeeds) do names[#names + 1] = name end
  for name in pairs(ANSWERS) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

local M = {}

-- Plays a fault. Returns true when the request should be answered in the ordinary way after all.
function M.serve(state, exchange, text)
  local name, options = parse(text)
  if name == "flaky" then
    if is_spent(state, text, options) then return true end
    name = options.fault or "status"
  end
  if ANSWERS[name] then return ANSWERS[name](exchange, options) end
  local fault = misdeeds[name or ""]
  if not fault then
    return fail(exchange, 400, "no fault is called '" .. tostring(name) .. "'; there are " .. known_names())
  end
  if name == "reset" and not way_out(exchange).can_reset then
    return fail(exchange, 501, "a reset needs LuaJIT or luaposix in the gateway's Lua")
  end
  play(state, exchange, fault, options)
end

return M
