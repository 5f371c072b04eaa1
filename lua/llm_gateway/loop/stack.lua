-- loop/stack.lua: what the stack tells of the running coroutine, where the language does not say whether it may yield.
-- Leans on `debug`. Yields nothing itself. For 5.1 and 5.2 alone.

local M = {}

local MOST_LOCALS = 250 -- that a function of 5.1 can have
local METAMETHODS = {
  "__index", "__newindex", "__eq", "__lt", "__le", "__concat", "__unm", "__len",
  "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__gc",
}

local function has_metamethod(value, fn)
  local meta = debug.getmetatable(value)
  if not meta then return false end
  for _, name in ipairs(METAMETHODS) do
    if rawequal(rawget(meta, name), fn) then return true end
  end
  return false
end

-- Whether one of the first `n` locals at this level of the stack has a function as its metamethod.
local function is_metamethod_of(level, n, fn)
  for i = 1, n do
    local name, value = debug.getlocal(level + 1, i)
    if not name then return false end
    if has_metamethod(value, fn) then return true end
  end
  return false
end

-- Whether the function at this level of the stack was called as a metamethod. What is no level has no locals.
local function is_metamethod(level, frame)
  if frame.namewhat ~= "" or frame.what ~= "Lua" then return false end
  if is_metamethod_of(level + 1, 2, frame.func) then return true end
  return debug.getinfo(level + 2, "S") ~= nil and is_metamethod_of(level + 2, MOST_LOCALS, frame.func)
end

-- Whether the running coroutine may yield. Every C function on the stack forbids it, but for those that are keys of
-- `continued`; and where metamethods are `forbidden`, as in 5.1, each of them. Their frames have no name, and what has
-- the metamethod is an argument or lies in the caller's frame. (One that ended in a tail call has left no frame.)
function M.allows_yield(continued, forbidden)
  local level, frame = 2, debug.getinfo(2, "Sfn")
  while frame do
    if frame.what == "C" and not continued[frame.func] then return false end
    if forbidden and is_metamethod(level, frame) then return false end
    level = level + 1
    frame = debug.getinfo(level, "Sfn")
  end
  return true
end

return M
