-- Every Lua block of README.md and doc/ runs against the development gateway, and every link leads somewhere.
local llm = require "llm_gateway"
local shell = require "spec.shell"
local support = require "spec.support"

local PAGES = shell.lines("ls README.md doc/*.md")

local function blocks(path)
  local list, heading, code = {}, path, nil
  for line in io.lines(path) do
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
  if not rawget(_G, "setfenv") then return assert(load(text, "page", "t", environment)) end
  return rawget(_G, "setfenv")(assert(loadstring(text, "page")), environment) -- luacheck: ignore
end

describe("the documentation's", function()
  local gateway = support.gateway({ delay = 0.002 })

  -- As in a program that began with the two first lines, but for the address of the gateway and for what is printed.
  local function environment()
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
      for i = 1, select("#", ...) do table.insert(printed, tostring((select(i, ...)))) end
    end
    local output = setmetatable({ write = function(_, ...) print_to(...) end }, { __index = io.stdout })
    return setmetatable({
      require = function(name) return name == "llm_gateway" and patched or require(name) end,
      llm = patched, client = patched.new({}),
      print = print_to, assert = llm.assert,
      io = setmetatable({ write = print_to, stdout = output }, { __index = io }),
    }, { __index = _G }), printed
  end

  local count = 0
  for _, path in ipairs(PAGES) do
    for i, block in ipairs(blocks(path)) do
      count = count + 1
      it(("%s, block %d (%s) runs"):format(path, i, block.heading), function()
        local env, printed = environment()
        compile(block.text, env)()
        assert.is_true(#printed > 0 or block.text:find("print") == nil)
      end)
    end
  end

  it("blocks are many", function() assert.is_true(count >= 35) end)
end)

describe("the documentation's links", function()
  -- The anchor that a page's heading has.
  local function anchor(heading)
    return (heading:lower():gsub("[^%w%s_-]", ""):gsub("%s", "-"))
  end

  local function anchors(text)
    local set = {}
    for heading in ("\n" .. text):gmatch("\n#+ ([^\n]+)") do set[anchor(heading)] = true end
    return set
  end

  for _, path in ipairs(shell.lines("ls README.md CONTRIBUTING.md doc/*.md doc/*.txt bench/README.md")) do
    it("of " .. path .. " lead somewhere", function()
      local folder = path:match("^(.*/)") or ""
      for target in shell.read(path):gmatch("%]%(([^)%s]+)%)") do
        if not target:find("^https?://") then
          local file, mark = target:match("^([^#]*)#?(.*)$")
          local text = shell.read_if_there(file == "" and path or folder .. file)
          assert.is_string(text, target .. " leads nowhere")
          assert.is_true(mark == "" or anchors(text)[mark] ~= nil, target .. " names no heading")
        end
      end
    end)
  end
end)

describe("the reference", function()
  it("has each name that the types have", function()
    local file = assert(io.open("doc/reference.md"))
    local text = file:read("*a")
    file:close()
    for line in io.lines("lua/llm_gateway/types/llm_gateway.lua") do
      local owner, name = line:match("^function (%a+)[.:]([%a_]+)%(")
      if owner then
        assert.truthy(text:find(name, 1, true), ("%s.%s is not in the reference"):format(owner, name))
      end
    end
  end)
end)
