-- What holds for the source as a whole: floors, names, exports.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local function lines(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do table.insert(list, line) end
  pipe:close()
  return list
end

describe("the house #apart", function()
  it("exports one symbol", function()
    local found = lines("nm -D --defined-only build/5.4/llm_gateway/core.so | awk '{print $3}'")
    assert.same({ "luaopen_llm_gateway_core" }, found)
  end)

  it("has no Lua below the binding", function()
    assert.same({}, lines("ls src/*.c src/*.h | grep -v '^src/l[a-z]*\\.[ch]$' > build/floors;"
      .. " echo src/loop.c src/loop.h src/list.h >> build/floors; xargs grep -lE 'lua\\.h|lauxlib|lualib|lcore\\.h'"
      .. " < build/floors; rm build/floors"))
  end)

  it("tests LUA_VERSION_NUM in one header", function()
    assert.same({ "src/lcompat.h" }, lines("grep -lE '#.*LUA_VERSION_NUM' src/*"))
  end)

  it("yields and resumes in one file", function()
    assert.same({ "lua/llm_gateway/loop/coroutines.lua" },
      lines("grep -rlE 'coroutine\\.(yield|resume|wrap)' lua --include=*.lua --exclude-dir=devgateway"))
  end)

  it("knows lua-cjson in one file", function()
    assert.same({ "lua/llm_gateway/json/encode.lua" },
      lines("grep -rlE 'require,? *\\(?\"cjson' lua --include=*.lua --exclude-dir=devgateway"))
  end)
end)
