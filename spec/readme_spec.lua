-- Every Lua block of the README runs, against the development gateway, and prints what its comments promise; what
-- the README's tables name exists, and what exists is named.
local devgateway = require "llm_gateway.devgateway"
local llm = require "llm_gateway"

local SECONDS_OF_LOVE = 20 -- for a game's tasks to end
local has_closing_values = not rawget(_G, "setfenv") and load("local x <close> = nil") ~= nil

local function read_readme()
  local file = assert(io.open("README.md"))
  local text = file:read("*a")
  file:close()
  return text
end

local function blocks()
  local list, heading, code = {}, "", nil
  for line in (read_readme() .. "\n"):gmatch("(.-)\n") do
    if code and line == "```" then
      table.insert(list, { heading = heading, text = table.concat(code, "\n") })
      code = nil
    elseif code then
      table.insert(code, line)
    elseif line == "```lua" then
      code = {}
    else
      heading = line:match("^#+ (.*)$") or heading
    end
  end
  return list
end

local function compile(text, environment)
  if not rawget(_G, "setfenv") then return assert(load(text, "=README", "t", environment)) end
  return rawget(_G, "setfenv")(assert(loadstring(text, "=README")), environment) -- luacheck: ignore
end

-- Why a block cannot run on this Lua; nil when it can.
local function obstacle(block)
  if block.text:find("<close>", 1, true) and not has_closing_values then return "needs Lua 5.4" end
  local host = block.text:match("^%-%- (%l+)\n")
  if host and not pcall(require, host) then return "needs " .. host end
  if block.text:find("llm.fd()", 1, true) and not llm.fd() then return "needs epoll" end
end

-- As in a program, but for the address of the gateway and for what is printed.
local function environment_of(gateway)
  local patched = setmetatable({
    new = function(options)
      local given = {}
      for name, value in pairs(options or {}) do given[name] = value end
      if not given.base_url or given.base_url:find("localhost:8000") then given.base_url = gateway.url end
      given.api_key = given.api_key or "gw_dev"
      return llm.new(given)
    end,
  }, { __index = llm })
  local printed = {}
  local function print_to(...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
    table.insert(printed, table.concat(words, " "))
  end
  local love = { graphics = { print = print_to } }
  return setmetatable({
    require = function(name) return name == "llm_gateway" and patched or require(name) end,
    print = print_to, io = setmetatable({ write = print_to }, { __index = io }), assert = llm.assert,
    love = love,
  }, { __index = _G }), printed, love
end

-- A game's frames, until its tasks have ended.
local function play(love)
  local over = os.time() + SECONDS_OF_LOVE
  love.load()
  while llm.pending() and os.time() < over do love.update() end
  assert.is_false(llm.pending())
  love.draw()
end

-- print(...) -- what comes out
local function promises(text)
  local list = {}
  for words in text:gmatch("print%b()[ \t]+%-%- ([^\n]+)") do table.insert(list, words) end
  return list
end

local function leave_hosts()
  local loop = llm.loop()
  loop.on_busy, loop.on_idle, loop.host_wait = nil, nil, nil
end

describe("the README's", function()
  local gateway

  setup(function() gateway = assert(devgateway.start({ delay = 0.002 })) end)
  teardown(function() gateway:stop() end)
  after_each(leave_hosts)

  for i, block in ipairs(blocks()) do
    it(("block %d (%s) runs"):format(i, block.heading), function()
      local why = obstacle(block)
      if why then return pending(why) end
      local env, printed, love = environment_of(gateway)
      compile(block.text, env)()
      if love.update then play(love) end
      assert.is_true(#printed > 0)
      local all = "\n" .. table.concat(printed, "\n") .. "\n"
      for _, words in ipairs(promises(block.text)) do
        assert(all:find("\n" .. words .. "\n", 1, true), ("%q was promised, but this came: %s"):format(words, all))
      end
    end)
  end

  it("blocks are many, and many promise something", function()
    local promised = 0
    for _, block in ipairs(blocks()) do promised = promised + #promises(block.text) end
    assert.is_true(#blocks() >= 25)
    assert.is_true(promised >= 10)
  end)

  it("options are those of llm.new", function()
    local section, count = read_readme():match("### `llm.new{...}`(.-)\nAn unknown option"), 0
    for cell in section:gmatch("\n| (`[^|]+) |") do
      for name in cell:gmatch("`([%w_]+)`") do
        count = count + 1
        local _, message = pcall(llm.new, { [name] = io.stdout }) -- no option takes a file
        assert.matches(name, message, 1, true)
        assert.is_nil(message:find("unknown option", 1, true), name)
      end
    end
    assert.is_true(count >= 20)
  end)

  it("reference names all that the module offers", function()
    local reference = read_readme():match("\n## Reference\n(.*)")
    for name in pairs(llm) do
      if name ~= "_VERSION" then assert(reference:find("%f[%w_]" .. name .. "%f[^%w_]"), name .. " is not named") end
    end
  end)

  it("lines are no longer than 120 characters", function()
    for _, name in ipairs({ "README.md", "CONTRIBUTING.md" }) do
      for line in io.lines(name) do assert.is_true(#line <= 120, name .. ": " .. line) end
    end
  end)
end)
