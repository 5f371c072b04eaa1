-- cli/spinner.lua: a sign of life on stderr until the first token comes; nothing where stderr is no terminal.

local core = require("llm_gateway.core")

local FRAMES = { "|", "/", "-", "\\" }
local EVERY = 0.1 -- seconds

local Spinner = {}
Spinner.__index = Spinner

-- Shows the next frame, when it is time.
function Spinner:turn()
  if not self.visible or core.now() < self.at then return end
  self.frame = self.frame % #FRAMES + 1
  self.at = core.now() + EVERY
  io.stderr:write("\r", FRAMES[self.frame])
  io.stderr:flush()
end

-- Takes it off the screen, for good.
function Spinner:stop()
  if self.visible and self.frame > 0 then io.stderr:write("\r \r") end
  self.visible = false
end

local function new()
  return setmetatable({ visible = core.is_terminal(2), frame = 0, at = core.now() + EVERY }, Spinner)
end

return { new = new }
