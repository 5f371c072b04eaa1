-- conf.lua: the window of the LÖVE example.
function love.conf(t) -- luacheck: ignore 112 113
  t.window.title = "An NPC that talks"
  t.window.width, t.window.height = 640, 360
  t.window.vsync = 0
end
