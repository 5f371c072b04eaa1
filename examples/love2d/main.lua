-- main.lua: a LÖVE scene that never stops moving while an NPC talks.   love examples/love2d
-- The gateway is the one of LLM_GATEWAY_BASE_URL and LLM_GATEWAY_API_KEY. All there is to it is llm.step in
-- love.update: once a frame, no waiting, about 2 ms of work at most.
-- luacheck: globals love
local llm = require "llm_gateway"

local BUDGET = 0.002 -- seconds a frame
local seconds = tonumber(os.getenv("DEMO_SECONDS")) -- for a measured run that ends by itself
local streams = tonumber(os.getenv("DEMO_STREAMS") or 1)
local screenshot = os.getenv("DEMO_SCREENSHOT")

local client = llm.new{}
local bubble, words, clock = "", 0, 0
local steps, frames = {}, {}

local function talk(first)
  while true do
    local request = { messages = { { role = "user", content = "Count to 60" } }, stream = true }
    if first then bubble = "" end
    for text in llm.assert(client:chat(request)):texts() do
      words = words + 1
      if first then bubble = bubble .. text end
    end
  end
end

function love.load()
  for i = 1, streams do
    llm.spawn(talk, i == 1):on_done(function(_, err) bubble = tostring(err) end) -- is the gateway there?
  end
end

local function percentile(list, part)
  table.sort(list)
  return (list[math.max(1, math.ceil(#list * part))] or 0) * 1000
end

local function report()
  for name, list in pairs({ step = steps, frame = frames }) do
    print(("%s ms p50: %.3f"):format(name, percentile(list, 0.5)))
    print(("%s ms p99: %.3f"):format(name, percentile(list, 0.99)))
    print(("%s ms max: %.3f"):format(name, percentile(list, 1)))
  end
  print(("frames: %d\nwords: %d"):format(#frames, words))
end

local function finish()
  seconds = nil
  report()
  love.graphics.captureScreenshot(function(image)
    if screenshot then
      local file = assert(io.open(screenshot, "wb"))
      file:write(image:encode("png"):getString())
      file:close()
    end
    client:close()
    love.event.quit()
  end)
end

function love.update(dt)
  clock = clock + dt
  table.insert(frames, dt)
  local started = love.timer.getTime()
  llm.step(0, BUDGET)
  table.insert(steps, love.timer.getTime() - started)
  if seconds and clock > seconds then finish() end
end

local function draw_scene()
  love.graphics.clear(0.12, 0.15, 0.22)
  for i = 1, 40 do
    local x = (i * 37 + clock * (20 + i)) % 680 - 20
    love.graphics.setColor(0.3 + i / 80, 0.5, 0.8 - i / 80)
    love.graphics.circle("fill", x, 60 + (i * 53) % 260 + 8 * math.sin(clock * 2 + i), 4 + i % 5)
  end
end

function love.draw()
  draw_scene()
  love.graphics.setColor(0.9, 0.75, 0.5)
  love.graphics.circle("fill", 90, 280 + 4 * math.sin(clock * 3), 28)
  love.graphics.setColor(1, 1, 1, 0.92)
  love.graphics.rectangle("fill", 140, 190, 460, 110, 12)
  love.graphics.setColor(0.1, 0.1, 0.1)
  love.graphics.printf(bubble, 156, 204, 428)
end
