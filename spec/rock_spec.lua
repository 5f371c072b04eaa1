-- The rock: lints, builds into an empty tree and works from elsewhere; as a source rock too.
--   ROCK_LUAS="5.5 5.4 jit"   installs the source rock for these Luas (5.4)
--   ROCK=FILE                 that rock, instead of one made of the working files
--   LUAROCKS=luarocks-3.13    that LuaRocks: before 3.13 it does not know Lua 5.5
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local shell = require "spec.shell"
local support = require "spec.support"

local run = shell.try

local SPECFILE = "llm-gateway-scm-1.rockspec"
local LUAS = os.getenv("ROCK_LUAS") or "5.4"
local LUAROCKS = os.getenv("LUAROCKS") or "luarocks"

-- What a stranger's first program does.
local PROGRAM = [[
local llm = require "llm_gateway"
local client = llm.new{}
local messages = { { role = "user", content = "What is 6 times 7?" } }
print(llm._VERSION, llm.assert(client:chat{ messages = messages }):text())
for text in llm.assert(client:chat{ messages = messages, stream = true }):texts() do io.write(text) end
]]

-- How LuaRocks is told of a Lua: its arguments, the Lua's program, and the version in a tree's folders.
local function lua_named(name)
  if name == "jit" then
    return { arguments = "--lua-version=5.1", variables = "LUA_INCDIR=/usr/include/luajit-2.1", program = "luajit",
      version = "5.1" }
  end
  local variables = ""
  if name == "5.5" then
    local there, found = run([[readlink -f "$(pkg-config --cflags lua5.5 | sed 's/-I//; s/ *$//')" &&
      command -v lua5.5]])
    assert(there, "make lua5.5 first: " .. found)
    variables = ("LUA_INCDIR='%s' LUA='%s'"):format(found:match("([^\n]+)\n([^\n]+)"))
  end
  return { arguments = "--lua-version=" .. name, variables = variables, program = "lua" .. name, version = name }
end

-- Whether LuaRocks can install for that Lua.
local function knows(name)
  local _, text = run(LUAROCKS .. " --version")
  local major, minor = text:match("(%d+)%.(%d+)")
  return name ~= "5.5" or tonumber(major) * 100 + tonumber(minor) >= 313
end

describe("the rock #apart", function()
  local top, room, packed, made
  local gateway = support.gateway()

  -- The working files, as they lie: what a tag of them would have.
  local function copy_of_files()
    assert(run(("git ls-files -co --exclude-standard -z | xargs -0 tar cf '%s/source.tar'"):format(room)))
    assert(run(("mkdir -p '%s/llm-gateway-lua' && tar xf '%s/source.tar' -C '%s/llm-gateway-lua'")
      :format(room, room, room)))
  end

  -- A source rock is a zip of the rockspec and of the folder that its git source would have.
  local function pack()
    if os.getenv("ROCK") then return os.getenv("ROCK") end
    assert(run(("cd '%s' && cp llm-gateway-lua/%s . && zip -qr llm-gateway-scm-1.src.rock %s llm-gateway-lua")
      :format(room, SPECFILE, SPECFILE)))
    return room .. "/llm-gateway-scm-1.src.rock"
  end

  setup(function()
    local pipe = io.popen("mktemp -d")
    top = pipe:read("*l")
    room = top .. "/with space"
    pipe:close()
    assert(run(("mkdir '%s'"):format(room)))
    for path, text in pairs({ ["config.lua"] = "rocks_servers = {}\n", ["program.lua"] = PROGRAM }) do
      local file = assert(io.open(room .. "/" .. path, "w"))
      file:write(text)
      file:close()
    end
    copy_of_files()
    packed = pack()
  end)

  teardown(function() run(("rm -rf '%s'"):format(top)) end)

  local function luarocks(arguments, folder, lua)
    lua = lua or lua_named("5.4")
    return run(("cd '%s' && env -u LUA_PATH -u LUA_CPATH LUAROCKS_CONFIG='%s/config.lua' %s %s %s %s"):format(
      folder, room, LUAROCKS, lua.arguments, arguments, lua.variables))
  end

  -- From elsewhere, with nothing but the tree on the Lua's path.
  local function works(tree, lua)
    lua = lua or lua_named("5.4")
    local lib, share = tree .. "/lib/lua/" .. lua.version, tree .. "/share/lua/" .. lua.version
    local ok, text = run(("cd / && LUA_PATH='%s/?.lua;%s/?/init.lua' LUA_CPATH='%s/?.so' LLM_GATEWAY_API_KEY=gw_dev "
      .. "LLM_GATEWAY_BASE_URL=%s %s '%s/program.lua'"):format(share, share, lib, gateway.url, lua.program, room))
    assert.is_true(ok, text)
    assert.matches("^llm_gateway %d[^\n]*6 %* 7 = 42\n6 %* 7 = 42$", text)
  end

  it("passes luarocks lint", function()
    assert.is_true(luarocks("lint " .. SPECFILE, room .. "/llm-gateway-lua"))
  end)

  -- The tree that `luarocks make` has filled, once.
  local function tree_made()
    if not made then
      made = room .. "/tree"
      local ok, text = luarocks(("--tree '%s' make %s"):format(made, SPECFILE), room .. "/llm-gateway-lua")
      assert.is_true(ok, text)
    end
    return made
  end

  it("installs into an empty tree with luarocks make", function() works(tree_made()) end)

  it("leaves no module in the checkout that another Lua would find there", function()
    tree_made()
    local _, found = run(("cd '%s/llm-gateway-lua' && find . -name '*.so' -o -name '*.o' | grep -v '^./build/'")
      :format(room))
    assert.equal("", found)
  end)

  it("brings its commands", function()
    local tree = tree_made()
    local ok, text = run(("cd / && LLM_GATEWAY_API_KEY=gw_dev LLM_GATEWAY_BASE_URL=%s '%s/bin/llm-gateway' chat hello")
      :format(gateway.url, tree))
    assert.is_true(ok, text)
    assert.matches("How can I help", text)
  end)

  for name in LUAS:gmatch("%S+") do
    it("packed as a source rock installs into an empty tree for Lua " .. name, function()
      if not knows(name) then return pending("this LuaRocks does not know Lua " .. name) end
      local lua, tree = lua_named(name), room .. "/tree " .. name
      local began = os.time()
      local ok, text = luarocks(("--tree '%s' install '%s'"):format(tree, packed), room, lua)
      assert.is_true(ok, text)
      works(tree, lua)
      if LUAS:find(" ") then print(("Lua %s: installed in %d s"):format(name, os.time() - began)) end
    end)
  end
end)
