-- lfs.lua: as much of LuaFileSystem as busted asks of it, for a Lua that Debian has no C modules for.

local function mode_of(path)
  local file = io.open(path, "r")
  if not file then return nil end
  local _, _, code = file:read(0)
  file:close()
  return code == 21 and "directory" or "file" -- EISDIR
end

local function attributes(path, name)
  local mode = mode_of(path)
  if name then return mode end
  return mode and { mode = mode }
end

local function dir(path)
  return io.popen(("ls -a '%s'"):format(path)):lines()
end

local function currentdir()
  local pipe = io.popen("pwd")
  local path = pipe:read("*l")
  pipe:close()
  return path
end

-- busted goes to the folder it is in.
local function chdir(path)
  if path == "." or path == "./" or path == currentdir() then return true end
  return nil, "lfs.lua goes nowhere"
end

return { chdir = chdir, attributes = attributes, symlinkattributes = attributes, dir = dir, currentdir = currentdir }
