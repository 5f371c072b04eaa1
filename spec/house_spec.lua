-- What holds for the source as a whole: floors, rooms, names, exports, sizes. house_rules.lua has the rules as data.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local rules = require "spec.house_rules"
local shell = require "spec.shell"
local support = require "spec.support"

local lines, read = shell.lines, shell.read

local function set_of(words)
  local set = {}
  for word in words:gmatch("%S+") do set[word] = true end
  return set
end

-- "lua/llm_gateway/errors/init.lua" is llm_gateway.errors
local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

-- llm_gateway.errors.fields is in "errors", llm_gateway.client in "client", llm_gateway itself in "init".
local function room_of(module) return module:match("^llm_gateway%.([%w_]+)") or "init" end

local sources = lines("ls src/*.c src/*.h")
local scripts = lines("find lua -name '*.lua' | sort")

describe("the house's C", function()
  local function floor_of(name)
    for floor = 0, #rules.floors do
      for known in rules.floors[floor]:gmatch("%S+") do
        if name:find("^" .. known:gsub("%*", ".*") .. "$") then return floor end
      end
    end
  end

  it("has a floor for each file", function()
    for _, path in ipairs(sources) do
      assert.is_truthy(floor_of(path:match("([%w_]+)%.[ch]$")), path .. " has no floor in house_rules.lua")
    end
  end)

  it("includes nothing from a floor above, and no library that its floor does not know", function()
    local bad = {}
    for _, path in ipairs(sources) do
      local floor = floor_of(path:match("([%w_]+)%.[ch]$")) or 0
      for name in read(path):gmatch('#include "([%w_]+)%.h"') do
        if (floor_of(name) or 9) > floor then table.insert(bad, path .. " includes " .. name .. ".h") end
      end
      for header in read(path):gmatch("#include <([^>]+)>") do
        for _, closed in ipairs(rules.closed[floor]) do
          if header:find(closed) then table.insert(bad, path .. " includes " .. header) end
        end
      end
    end
    assert.same({}, bad)
  end)

  it("exports one symbol #apart", function()
    local found = lines("nm -D --defined-only build/5.4/llm_gateway/core.so | awk '{print $3}'")
    assert.same({ "luaopen_llm_gateway_core" }, found)
  end)

  it("tests LUA_VERSION_NUM in one header", function()
    assert.same({ "src/lcompat.h" }, lines("grep -lE '#.*LUA_VERSION_NUM' src/*"))
  end)
end)

describe("the house's Lua", function()
  -- What each module requires, by name, as its text says.
  local requires = {}
  local everywhere = set_of(rules.everywhere)
  for _, path in ipairs(scripts) do
    local list = {}
    local text = read(path):gsub("%-%-[^\n]*", "")
    for name in text:gmatch("require%s*[(,]?%s*\"([%w_.]+)\"") do table.insert(list, name) end
    for name in text:gmatch("lazy%(\"([%w_.]+)\"%)") do table.insert(list, name) end
    requires[module_of(path)] = list
  end

  -- By room: how deep it is, and what it may require.
  local rooms = {}
  for depth, room in ipairs(rules.rooms) do rooms[room[1]] = { depth = depth, may = set_of(room[2]), used = {} } end

  it("has a room for each module, which requires what its room may", function()
    local bad = {}
    for module, list in pairs(requires) do
      local name = room_of(module)
      local room = rooms[name] or error(module .. " has no room in house_rules.lua")
      local others = set_of(rules.others[name] or "")
      for _, required in ipairs(list) do
        local target = required:find("^llm_gateway") and room_of(required)
        local allowed = others[required]
        if target then allowed = target == name or room.may[target] or everywhere[target] end
        if target then room.used[target] = true end
        if not allowed then table.insert(bad, module .. " requires " .. required) end
      end
    end
    for name, room in pairs(rooms) do
      for target in pairs(room.may) do
        if not room.used[target] then table.insert(bad, name .. " may require " .. target .. ", and does not") end
      end
    end
    table.sort(bad)
    assert.same({}, bad)
  end)

  it("has rooms that require rooms below them alone", function()
    local bad = {}
    for name, room in pairs(rooms) do
      for target in pairs(room.may) do
        local below = target == "core" or (rooms[target] and rooms[target].depth > room.depth)
        if not below then table.insert(bad, name .. " stands below " .. target) end
      end
    end
    assert.same({}, bad)
  end)

  it("requires in no circle", function()
    local state = {}
    local function visit(module, way)
      if state[module] == "seen" then return end
      way = way .. " > " .. module
      assert(state[module] ~= "open", "a circle:" .. way)
      state[module] = "open"
      for _, name in ipairs(requires[module] or {}) do
        if name ~= module then visit(name, way) end
      end
      state[module] = "seen"
    end
    for module in pairs(requires) do visit(module, "") end
  end)

  -- A module alone, in a process of its own, and all of them in one: the same fields, so that none adds to another's.
  describe("module #apart", function()
    local FIELDS = [[
      local function names(module)
        local list = {}
        if type(module) == "table" then for name in pairs(module) do table.insert(list, tostring(name)) end end
        table.sort(list)
        return table.concat(list, " ")
      end
    ]]
    local modules = {}
    for module in pairs(requires) do
      if not rules.programs[module] then table.insert(modules, module) end
    end
    table.sort(modules)

    local function alone(module)
      local text = support.run(FIELDS .. ("print('fields: ' .. names(require(%q)))"):format(module))
      local missing = text:match("module '([%w_.]+)' not found")
      if missing and not missing:find("^llm_gateway") then return nil end -- an adapter for what is not installed here
      return text:match("fields: ([^\n]*)\n") or error(module .. " alone: " .. text)
    end

    local together = {}
    setup(function()
      local text = support.run(FIELDS .. ([[
        local list, found = {}, {}
        for name in (%q):gmatch("%%S+") do
          local ok, module = pcall(require, name)
          if ok then found[name] = module end
        end
        for name, module in pairs(found) do print(name .. ": " .. names(module)) end
      ]]):format(table.concat(modules, " ")))
      for name, fields in text:gmatch("([%w_.]+): ([^\n]*)\n") do together[name] = fields end
    end)

    for _, module in ipairs(modules) do
      it(module .. " is whole once required", function() assert.equal(alone(module), together[module]) end)
    end

    it("llm_gateway.client alone makes calls", function()
      assert.matches("^connection", support.run([[
        local client = require("llm_gateway.client").new({ base_url = "http://127.0.0.1:1", max_retries = 0 })
        print(select(2, client:health()).kind)
      ]]))
    end)
  end)

  it("assigns no field of a module that it required", function()
    local bad = {}
    for _, path in ipairs(scripts) do
      local text = read(path)
      for name in text:gmatch('local ([%w_]+) = %w+%s*%(?"llm_gateway[%w_.]*"') do
        for _, how in ipairs({ "\n%s*" .. name .. "[.%[][%w_.\"%]]+ = ", "\n%s*function " .. name .. "[.:]" }) do
          if text:find(how) then table.insert(bad, path .. " writes into " .. name) end
        end
      end
    end
    assert.same({}, bad)
  end)

  it("yields and resumes in one file", function()
    assert.same({ "lua/llm_gateway/loop/coroutines.lua" },
      lines("grep -rlE 'coroutine\\.(yield|resume|wrap)\\>' lua --include=*.lua --exclude-dir=devgateway"))
  end)

  it("knows lua-cjson in one file", function()
    assert.same({ "lua/llm_gateway/json/encode.lua" },
      lines("grep -rlE '\"cjson' lua --include=*.lua --exclude-dir=devgateway"))
  end)
end)

describe("the house", function()
  -- The lengths of a file's functions: from a line that opens one to the `end` or `}` at the same depth.
  local function function_lengths(path, is_c)
    local lengths, open, number = {}, {}, 0
    for line in io.lines(path) do
      number = number + 1
      local indent = #line:match("^ *")
      local opens = line:find(is_c and "^%a.*%) {$" or "function[^\"]*%([%w_, .]*%)$")
      if opens then open[indent] = number end
      if open[indent] and not opens and line:find(is_c and "^}" or "^ *end") then
        table.insert(lengths, { lines = number - open[indent] + 1, where = path .. ":" .. open[indent] })
        open[indent] = nil
      end
    end
    return lengths, number
  end

  local function measure(paths, longest, is_c)
    local all, long, total = {}, {}, 0
    for _, path in ipairs(paths) do
      local lengths, count = function_lengths(path, is_c)
      total = total + count
      if count > longest.file and not rules.declarations[path] then
        table.insert(long, ("%s has %d lines"):format(path, count))
      end
      for _, one in ipairs(lengths) do
        table.insert(all, one.lines)
        if one.lines > longest.func then table.insert(long, ("%s is %d lines long"):format(one.where, one.lines)) end
      end
    end
    table.sort(all)
    print(("%s: %d files, %d lines, %d functions: median %d, p90 %d, longest %d"):format(is_c and "C" or "Lua",
      #paths, total, #all, all[math.ceil(#all / 2)], all[math.ceil(#all * 0.9)], all[#all]))
    assert.same({}, long)
  end

  it("has files and functions that one can read", function()
    measure(sources, rules.longest.c, true)
    measure(scripts, rules.longest.lua, false)
  end)

  describe("as a rock", function()
    local rock = {}
    setup(function()
      assert(load(read("llm-gateway-scm-1.rockspec"), "rockspec", "t", rock))()
    end)

    it("lists every Lua file, and no other", function()
      local expected = {}
      for _, path in ipairs(scripts) do expected[module_of(path)] = path end
      assert.same(expected, rock.build.install.lua)
    end)
  end)

  -- Each names a text, which has to stand in one place of the source for `make mutants` to break it.
  it("has mutants of the source as it is", function()
    local stale = {}
    local texts = {}
    for _, paths in ipairs({ sources, scripts }) do
      for _, path in ipairs(paths) do table.insert(texts, read(path)) end
    end
    local whole = table.concat(texts, "\0")
    for _, list in ipairs(lines("ls spec/mutants/*.lua")) do
      for _, mutant in ipairs(list:find("run.lua$") and {} or dofile(list)) do
        local _, to = whole:find(mutant[2], 1, true)
        if not to or whole:find(mutant[2], to + 1, true) then table.insert(stale, list .. ": " .. mutant[1]) end
      end
    end
    assert.same({}, stale)
  end)

  it("says nothing of the machine it was written on", function()
    local found = lines(("git grep -nIE '%s' -- . ':!spec/house_rules.lua'"):format(table.concat(rules.forbidden, "|")))
    assert.same({}, found)
  end)
end)
