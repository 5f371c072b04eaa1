-- browser.lua: a headless Chromium for specs, driven by its debugging pipe (the Chrome DevTools Protocol).
-- Leans on a shell, mkfifo, timeout and llm_gateway.json. Only pages of this machine are opened with it.

local json = require "llm_gateway.json"
local support = require "spec.support"

local FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run"
  .. " --disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe"
local LIFETIME = 120 -- seconds, whatever happens
local PATIENCE = 20 -- seconds for what a page is to come to

local NAMES = { "chromium", "chromium-browser", "google-chrome" }

-- ---------------------------------------------------------------------------------------------------------
-- The pipe: JSON texts, each with a NUL behind it

local Browser = {}
Browser.__index = Browser

local function read_message(self)
  local bytes = {}
  local byte = self.output:read(1)
  while byte and byte ~= "\0" do
    bytes[#bytes + 1] = byte
    byte = self.output:read(1)
  end
  return byte and assert(json.decode(table.concat(bytes))) or nil
end

-- Sends a command and waits for its answer, which it returns. Events in between are of no interest.
function Browser:command(method, params, session)
  self.sent = self.sent + 1
  local text = assert(json.encode({ id = self.sent, method = method, params = params, sessionId = session }))
  self.input:write(text, "\0")
  self.input:flush()
  local message
  repeat message = read_message(self) until not message or message.id == self.sent
  if not message then error("the browser ended: " .. support.output_of("tail -n 5 " .. self.room .. "/errors"), 2) end
  if message.error then error(method .. ": " .. message.error.message, 2) end
  return message.result
end

-- ---------------------------------------------------------------------------------------------------------
-- Pages

local Page = {}
Page.__index = Page

function Page:command(method, params) return self.browser:command(method, params, self.session) end

-- The value of a JavaScript expression, or what its promise comes to. Raises what it throws.
function Page:evaluate(expression)
  local answer = self:command("Runtime.evaluate", {
    expression = expression, awaitPromise = true, returnByValue = true,
  })
  local thrown = answer.exceptionDetails
  if thrown then error((thrown.exception or {}).description or thrown.text, 2) end
  return answer.result.value
end

-- Waits until the expression is true, and returns its value.
function Page:wait_for(expression)
  return self:evaluate(([[new Promise((yes, no) => {
    const end = Date.now() + %d
    const look = () => {
      const value = (%s)
      if (value) return yes(value)
      if (Date.now() > end) return no(new Error("never came: " + document.body.innerText))
      setTimeout(look, 10)
    }
    look()
  })]]):format(PATIENCE * 1000, expression))
end

-- Goes to an address and waits until it is loaded.
function Page:open(url)
  local answer = self:command("Page.navigate", { url = url })
  if answer.errorText then error(url .. ": " .. answer.errorText, 2) end
  self:wait_for("document.readyState === 'complete'")
end

-- Types a text where the focus is.
function Page:write(text) self:command("Input.insertText", { text = text }) end

function Page:press_enter()
  local key = { key = "Enter", code = "Enter", windowsVirtualKeyCode = 13 }
  for _, event in ipairs({ { type = "keyDown", text = "\r" }, { type = "keyUp" } }) do
    for name, value in pairs(key) do event[name] = value end
    self:command("Input.dispatchKeyEvent", event)
  end
end

-- Clicks into the middle of the element of a CSS selector.
function Page:click(selector)
  local place = self:evaluate(([[(() => {
    const box = document.querySelector(%q).getBoundingClientRect()
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  })()]]):format(selector))
  for _, kind in ipairs({ "mousePressed", "mouseReleased" }) do
    self:command("Input.dispatchMouseEvent", { type = kind, x = place.x, y = place.y, button = "left", clickCount = 1 })
  end
end

function Page:resize(width, height)
  self:command("Emulation.setDeviceMetricsOverride", {
    width = width, height = height, deviceScaleFactor = 1, mobile = false,
  })
end

-- A picture of what is seen, into the folder that SPEC_SCREENSHOTS names; without it nothing is done.
function Page:screenshot(name)
  local folder = os.getenv("SPEC_SCREENSHOTS")
  if not folder then return end
  local decoder = assert(io.popen(("base64 -d >'%s/%s.png'"):format(folder, name), "w"))
  decoder:write(self:command("Page.captureScreenshot", { format = "png" }).data)
  decoder:close()
end

-- Closes the tab, as a user does; it may be closed already.
function Page:close()
  if not self.closed then self.browser:command("Target.closeTarget", { targetId = self.target }) end
  self.closed = true
end

-- A new tab.
function Browser:page()
  local target = self:command("Target.createTarget", { url = "about:blank" }).targetId
  local session = self:command("Target.attachToTarget", { targetId = target, flatten = true }).sessionId
  return setmetatable({ browser = self, target = target, session = session }, Page)
end

-- ---------------------------------------------------------------------------------------------------------

-- Ends it, and waits until it is gone.
function Browser:stop()
  pcall(self.command, self, "Browser.close")
  while self.output:read(4096) do end -- luacheck: ignore (until its end)
  self.input:close()
  self.output:close()
  support.output_of(("rm -rf '%s' 2>&1"):format(self.room))
end

local M = {}

-- The program's name; nil where there is none.
function M.program()
  for _, name in ipairs(NAMES) do
    if support.output_of("command -v " .. name):find("%S") then return name end
  end
end

-- Starts one. Whoever starts it stops it.
function M.start()
  local room = support.output_of('d=$(mktemp -d) && mkfifo "$d/in" "$d/out" && printf %s "$d"')
  os.execute(("timeout %d %s %s --user-data-dir=%s/profile about:blank 3<%s/in 4>%s/out >/dev/null 2>%s/errors &")
    :format(LIFETIME, assert(M.program()), FLAGS, room, room, room, room))
  local input = assert(io.open(room .. "/in", "w")) -- in the order in which the shell opens them
  local output = assert(io.open(room .. "/out", "r"))
  return setmetatable({ input = input, output = output, room = room, sent = 0 }, Browser)
end

return M
