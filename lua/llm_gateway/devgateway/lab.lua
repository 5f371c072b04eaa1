-- devgateway/lab.lua: the development gateway's own paths, for tests: fixtures, scripts, an echo and counters.
-- Leans on raw, json, files and exchange. None of them asks for a key.

local json = require("llm_gateway.devgateway.json")
local files = require("llm_gateway.devgateway.files")
local raw = require("llm_gateway.devgateway.raw")

local function from_hex(text)
  return (text:gsub("%s", ""):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function send(out, text, times)
  for _ = 1, times or 1 do
    if not out:write(text) then return false end
  end
  return true
end

-- Each step returns false when the script is over.
local STEPS = {
  send = function(out, text, step) return send(out, text, step.times) end,
  hex = function(out, text, step) return send(out, from_hex(text), step.times) end,
  delay = function(out, seconds) return out:hold(seconds) end,
  hold = function(out) out:hold() return false end,
  reset = function(out) out:reset() return false end,
  drop = function(out) out.abrupt = true return false end, -- over TLS: without saying that it is the end
  close = function() return false end,
}

local function play_step(out, step)
  for name, run in pairs(STEPS) do
    if step[name] ~= nil then return run(out, step[name], step) end
  end
  return true
end

local function complain(exchange, status, message)
  exchange:reply(status, { detail = message, error_code = "DEV_GATEWAY" })
end

local function is_step(step)
  for name in pairs(STEPS) do
    if type(step) == "table" and step[name] ~= nil then return true end
  end
  return false
end

local function check_script(script)
  if type(script) ~= "table" or type(script.name) ~= "string" or type(script.steps) ~= "table" then
    return "a script is {\"name\": text, \"steps\": [...]}"
  end
  for index, step in ipairs(script.steps) do
    if not is_step(step) then
      return ("steps[%d] is none of send, hex, delay, hold, reset, drop, close"):format(index - 1)
    end
    if step.reset and not raw.can_reset then
      return "a reset needs LuaJIT or luaposix in the gateway's Lua"
    end
  end
end

local function register(state, exchange)
  if exchange.method ~= "POST" then return complain(exchange, 405, "scripts are registered by POST") end
  local script = json.decode(exchange.body)
  local message = check_script(script)
  if message then return complain(exchange, 400, message) end
  state.scripts[script.name] = script.steps
  exchange:reply(200, { name = script.name, steps = #script.steps })
end

local function play_script(state, exchange, name)
  if name == "" then return register(state, exchange) end
  local steps = state.scripts[name]
  if not steps then return complain(exchange, 404, "no script is called '" .. name .. "'") end
  local out, message = raw.take(exchange)
  if not out then return complain(exchange, 400, message) end
  for _, step in ipairs(steps) do
    if not play_step(out, step) then break end
  end
  out:close()
end

local function show_fixture(state, exchange, name)
  local fixture = state.fixtures[name]
  if not fixture then return complain(exchange, 404, "no fixture is called '" .. name .. "'") end
  local body = fixture.body or ""
  if type(body) ~= "string" then body = json.encode(body) end
  exchange.bare = true -- a fixture's headers are its own
  exchange:answer(fixture.status or 200, body, fixture.headers)
end

local function describe(exchange)
  return { method = exchange.method, path = exchange.target, headers = exchange.headers,
    body = exchange.body, http_version = exchange.http.connection.version }
end

-- What a request was, as an answer in every dialect, so that each verb takes it.
local function echo(_, exchange)
  local reply = describe(exchange)
  local message = { role = "assistant", content = exchange.body }
  reply.choices = json.array({ { index = 0, message = message, finish_reason = "stop" } })
  reply.output, reply.content = json.array({}), json.array({})
  exchange:reply(200, reply)
end

local function stats(state, exchange)
  local counters = state.counters
  exchange:reply(200, {
    connections = counters.connections, open_connections = state.open_connections(),
    requests = counters.requests, streams_open = counters.streams_open,
    streams_broken = counters.streams_broken, last = state.last and describe(state.last) or json.null,
  })
end

local M = {}

-- What `~name` stands for, by name: function(state, exchange, argument).
M.serve = { fixture = show_fixture, script = play_script, echo = echo, stats = stats }

-- Reads a fixtures file: {cases = {{name, status, headers, body}, ...}} or the list alone.
-- Returns the fixtures by name, or raises a message.
function M.load_fixtures(path)
  local list, why = json.decode(files.read(path))
  if type(list) ~= "table" then error(path .. ": " .. tostring(why or "no list of fixtures"), 0) end
  local by_name = {}
  for _, case in ipairs(list.cases or list) do by_name[case.name] = case end
  return by_name
end

return M
