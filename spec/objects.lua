-- objects.lua: the module's object files, for programs of specs that are linked with them: what `make` has compiled is
-- not compiled again. Leans on a shell and make.

local M = {}

local CORE = "{ ls src/*.c | grep -v '^src/l'; ls src/loop*.c; }"
local BINDING = "ls src/l*.c | grep -v '^src/loop'"

local function objects(sources, folder)
  return ("$(%s | sed 's|^src/|build/%s/|; s|c$|o|')"):format(sources, folder)
end

-- Makes a target, as it is made without what `make` was told for the specs ("core", "LUA=5.4", "asan"). Raises where
-- that fails.
function M.make(target)
  local command = "env -u MAKEFLAGS -u MFLAGS make -s " .. target
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
end

-- Words for a shell: the files of all below the binding, which `make core` makes. `variant` is "" or "-asan".
function M.core(variant) return objects(CORE, "core" .. variant) end

-- Those of the whole module, for Lua 5.4.
function M.module(variant) return M.core(variant) .. " " .. objects(BINDING, "5.4" .. variant) end

return M
