-- Every Lua block of the README runs, against the development gateway.
local llm = require "llm_gateway"
local support = require "spec.support"

local function blocks()
  local list, heading, code = {}, "", nil
  for line in io.lines("README.md") do
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
  if not rawget(_G, "setfenv") then return assert(load(text, "README", "t", environment)) end
  return rawget(_G, "setfenv")(assert(loadstring(text, "README")), environment) -- luacheck: ignore
end

describe("the README's", function()
  local gateway = support.gateway({ delay = 0.002 })

  -- As in a program, but for the address of the gateway and for what is printed.
  local function environment()
    local patched = setmetatable({
      new = function(options)
        local given = {}
        for name, value in pairs(options) do given[name] = value end
        if not given.base_url or given.base_url:find("localhost:8000") then given.base_url = gateway.url end
        given.api_key = given.api_key or "gw_dev"
        return llm.new(given)
      end,
    }, { __index = llm })
    local printed = {}
    local function print_to(...)
      for i = 1, select("#", ...) do table.insert(printed, tostring((select(i, ...)))) end
    end
    return setmetatable({
      require = function(name) return name == "llm_gateway" and patched or require(name) end,
      print = print_to, io = setmetatable({ write = print_to }, { __index = io }), assert = llm.assert,
    }, { __index = _G }), printed
  end

  for i, block in ipairs(blocks()) do
    it(("block %d (%s) runs"):format(i, block.heading), function()
      local env, printed = environment()
      compile(block.text, env)()
      assert.is_true(#printed > 0 or block.text:find("print") == nil)
    end)
  end

  it("blocks are many", function() assert.is_true(#blocks() >= 15) end)
end)
