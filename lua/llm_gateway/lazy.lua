-- lazy.lua: a module that is loaded when it is first used, for what a plain call does not need.
-- Leans on nothing. Where a module is written
--
--   local structured = lazy("llm_gateway.helpers.structured")
--
-- in place of `require`, all else stays as it was: structured.read(...) loads it, once, and from then on is a field of
-- a table. What has to work when no file can be opened is not loaded so: a program that ran out of descriptors is to
-- hear of its failed connections.

-- Stands for the module `name`. Its fields are copied as they are asked for: it may not change them later.
local function lazy(name)
  return setmetatable({}, {
    __index = function(self, field)
      local value = require(name)[field]
      self[field] = value
      return value
    end,
  })
end

return lazy
