-- helpers/run_tools.lua: client:run_tools{}: what it may be given, and what it returns.
-- Leans on tools.lua for the tools and on tool_run.lua, which does it. Never changes the caller's tables.

local call_options = require("llm_gateway.request.call_options")
local checks = require("llm_gateway.schema")
local coroutines = require("llm_gateway.loop.coroutines")
local dialects = require("llm_gateway.helpers.tool_dialects")
local errors = require("llm_gateway.errors")
local near_miss = require("llm_gateway.request.near_miss")
local runs = require("llm_gateway.helpers.tool_run")
local tools = require("llm_gateway.helpers.tools")
local wait = require("llm_gateway.loop.wait")

local DEFAULT_ROUNDS = 10

local OWN = { "tools", "max_rounds", "timeout", "approve", "stream", "api" }

local function own_fault(request)
  local rounds_given, approve, stream, timeout = request.max_rounds, request.approve, request.stream, request.timeout
  if rounds_given ~= nil and type(rounds_given) ~= "number" then
    return errors.invalid("max_rounds", "expected a whole number, got " .. checks.shown(rounds_given))
  end
  if timeout and type(timeout) ~= "number" then
    return errors.invalid("timeout", "expected seconds for all of it, got " .. checks.shown(timeout))
  end
  local message = approve ~= nil and checks.callback(approve)
  if message then return errors.invalid("approve", message) end
  message = stream ~= nil and checks.boolean(stream)
  if message then return errors.invalid("stream", message) end
end

local KNOWN = {}
for _, name in ipairs(OWN) do KNOWN[name] = true end

-- A slip of the pen in a name of a run's own; what chat knows is seen there.
local function misspelt(request)
  for name in pairs(request) do
    local meant = not KNOWN[name] and near_miss.of(name, KNOWN, {})
    if meant then return errors.invalid(tostring(name), near_miss.words(meant)) end
  end
end

-- What was said so far, as a list of the run's own; or nil, err.
local function said_before(request, name)
  local given = request[name]
  if type(given) == "string" and name == "input" then return { { role = "user", content = given } } end
  if type(given) ~= "table" then
    return nil, errors.invalid(name, "expected a list, got " .. checks.shown(given))
  end
  local copy = {}
  for i, item in ipairs(given) do copy[i] = item end
  return copy
end

-- Numbers that mean nothing are misuse, as those of a call's clocks are.
local function check_numbers(request, level)
  local most, timeout = request.max_rounds, request.timeout
  if type(most) == "number" and (most < 1 or most % 1 ~= 0) then
    error("max_rounds: expected a whole number from 1 up, got " .. checks.shown(most), level + 1)
  end
  if type(timeout) == "number" and not (timeout > 0) then -- luacheck: ignore (of NaN)
    error("timeout: expected more than 0 seconds, or false for no limit, got " .. checks.shown(timeout), level + 1)
  end
end

-- Where nothing but I/O can be driven no tool would ever run.
local function check_place(loop, level)
  if coroutines.current_yielding() then return end
  wait.refuse_inside("run_tools", level + 1)
  if loop.stepping then error("run_tools: the loop is being stepped", level + 1) end
end

local function new(client, loop, request, dialect, set, said)
  local rest = {}
  for name, value in pairs(request) do rest[name] = value end
  for _, name in ipairs(OWN) do rest[name] = nil end
  return runs.new({
    client = client, client_loop = loop, dialect = dialect, set = set, offered = dialect.offer(set.list),
    request = rest, messages = said, streaming = request.stream == true,
    max_rounds = request.max_rounds or DEFAULT_ROUNDS, approve = request.approve, timeout = request.timeout or nil,
  })
end

-- client:run_tools{}: see client.lua. `level` is that of who is to blame for misuse.
local function run(client, loop, request, level)
  if type(request) ~= "table" then
    return nil, errors.invalid("", "a request is a table, got " .. checks.shown(request))
  end
  check_numbers(request, level + 1)
  call_options.read(request, level + 1) -- for what it raises
  local dialect = dialects[request.api or "chat"]
  if not dialect then return nil, errors.invalid("api", 'expected "chat", "responses" or "messages"') end
  local given, err = request[dialect.list], own_fault(request) or misspelt(request)
  if err then return nil, err, given end
  local said, set, message, where
  said, err = said_before(request, dialect.list)
  if not said then return nil, err, given end
  set, message, where = tools.read(request.tools, "tools")
  if not set then return nil, errors.invalid(where, message), given end
  check_place(loop, level + 1)
  local self = new(client, loop, request, dialect, set, said)
  if self.streaming then return self, nil, nil, self end
  local event
  repeat event = self:next() until not event or event.type == "done"
  if self.err then return nil, self.err, self.messages end
  return self.reply, self.messages
end

return { run = run }
