-- system.lua: the three functions of lua-system that busted asks for, to the second.

local function sleep(seconds)
  os.execute(("sleep %g"):format(seconds))
end

return { gettime = os.time, monotime = os.time, sleep = sleep }
