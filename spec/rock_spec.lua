-- The rock: lints, builds into an empty tree and works from elsewhere; as a source rock too.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo \" status $?\""))
  local text = pipe:read("*a")
  pipe:close()
  return text:match(" status (%d+)%s*$") == "0", text
end

describe("the rock #apart", function()
  local top, room

  setup(function()
    local pipe = io.popen("mktemp -d")
    top = pipe:read("*l")
    room = top .. "/with space"
    pipe:close()
    assert(run(("mkdir '%s'"):format(room)))
    local config = assert(io.open(room .. "/config.lua", "w"))
    config:write('rocks_servers = {}\nrocks_provided = { ["lua-cjson"] = "2.1.0-1" }\n')
    config:close()
    assert(run(("git ls-files -co --exclude-standard -z | xargs -0 tar cf '%s/source.tar'"):format(room)))
    assert(run(("mkdir '%s/checkout' && tar xf '%s/source.tar' -C '%s/checkout'"):format(room, room, room)))
  end)

  teardown(function() run(("rm -rf '%s'"):format(top)) end)

  local function luarocks(arguments, folder)
    return run(("cd '%s' && env -u LUA_PATH -u LUA_CPATH LUAROCKS_CONFIG='%s/config.lua' "
      .. "luarocks --lua-version=5.4 %s"):format(folder, room, arguments))
  end

  local function works(tree)
    local ok, text = run(("cd / && LUA_PATH='%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua;;' "
      .. "LUA_CPATH='%s/lib/lua/5.4/?.so;;' lua5.4 -e 'print(require \"llm_gateway\"._VERSION, "
      .. "require \"llm_gateway.devgateway\" and \"whole\")'"):format(tree, tree, tree))
    assert.is_true(ok, text)
    assert.matches("^llm_gateway %d.*whole", text)
  end

  it("passes luarocks lint", function()
    assert.is_true(luarocks("lint llm-gateway-scm-1.rockspec", room .. "/checkout"))
  end)

  it("installs into an empty tree with luarocks make", function()
    local tree = room .. "/tree"
    local ok, text = luarocks(("--tree '%s' make llm-gateway-scm-1.rockspec"):format(tree), room .. "/checkout")
    assert.is_true(ok, text)
    works(tree)
  end)

  it("leaves no module in the checkout that another Lua would find there", function()
    local _, found = run(("cd '%s/checkout' && find . -name '*.so' -o -name '*.o' | grep -v '^./build/'"):format(room))
    assert.matches("^ status", found)
  end)

  it("packs as a source rock, which installs", function()
    local name = room .. "/checkout/llm-gateway-scm-1.rockspec"
    local text = assert(io.open(name)):read("*a")
    assert(run(("mkdir -p '%s/llm-gateway' && tar xf '%s/source.tar' -C '%s/llm-gateway' && tar czf '%s/source.tar.gz'"
      .. " -C '%s' llm-gateway"):format(room, room, room, top, room)))
    local packed = text:gsub("\nsource = %b{}",
      ('\nsource = { url = "file://%s/source.tar.gz", dir = "llm-gateway" }'):format(top))
    local file = assert(io.open(room .. "/llm-gateway-scm-1.rockspec", "w"))
    file:write(packed)
    file:close()
    local ok, said = luarocks("pack llm-gateway-scm-1.rockspec", room)
    assert.is_true(ok, said)
    local tree = room .. "/tree2"
    ok, said = luarocks(("--tree '%s' install llm-gateway-scm-1.src.rock"):format(tree), room)
    assert.is_true(ok, said)
    works(tree)
  end)
end)
