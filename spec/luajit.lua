-- spec/luajit.lua: pairs and next that LuaJIT does not compile; LUA_INIT loads it into every program of the specs.
-- LuaJIT before its commit 5e3c45c4 (of 2022-04-05), such as Debian 12's, loses half of a pointer in what it compiles
-- of them, and dies of it now and then. Does nothing in another Lua.

local jit = rawget(_G, "jit")

if jit then
  local next_of = next
  local function step(t, key) return next_of(t, key) end
  jit.off(step) -- a trace that comes here is given up
  rawset(_G, "next", step)
  rawset(_G, "pairs", function(t) return step, t end)
end
