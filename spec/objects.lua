-- objects.lua: the module's object files, for programs of specs that are linked with them: what `make` has compiled is
-- not compiled again. Leans on a shell and make.

local M = {}

local CORE = "{ ls src/*.c | grep -v '^src/l'; ls src/loop*.c; }"
local BINDING = "ls src/l*.c | grep -v '^src/loop'"

local function objects(sources, folder)
  return ("$(%s | sed 's|^src/|build/%s/|; s|c$|o|')"):format(sources, folder)
end

-- As a target is made without what `make` was told for the specs.
local function make(target)
  local command = "env -u MAKEFLAGS -u MFLAGS make -s " .. target
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
end

-- Makes the files of all below the binding. Returns words for a shell that name them. Raises where make fails.
function M.core()
  make("core")
  return objects(CORE, "core")
end

-- The same of the whole module for Lua 5.4. `variant` is "" or "-asan".
function M.module(variant)
  make(variant == "-asan" and "asan" or "LUA=5.4")
  return objects(CORE, "core" .. variant) .. " " .. objects(BINDING, "5.4" .. variant)
end

return M
