-- examples/web_chat in a real browser: what a user of the page types, sees and stops. The server runs under LuaJIT, for
-- which Debian has lua-http.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local browsers = require "spec.browser"
local llm = require "llm_gateway"
local support = require "spec.support"

-- What was said last, and its text; neither is there before the first question.
local LAST = "document.querySelector('#said p:last-child')?"

describe("the web chat in a browser #apart #long", function()
  if not browsers.program() then
    pending("chromium is missing (Debian: chromium)")
    return
  end

  local gateway = support.gateway({ delay = 0.02 })
  local browser, servers, address, page

  -- A server whose gateway lies at that place ("", or "/~fault/cut").
  local function serve(place)
    local command = "LUA_CPATH=\"$PWD/build/jit/?.so;;\" LLM_GATEWAY_BASE_URL=%s LLM_GATEWAY_API_KEY=gw_dev"
      .. " luajit examples/web_chat/server.lua 2>/dev/null & echo $!"
    local pipe = assert(io.popen(command:format(gateway.url .. place)))
    table.insert(servers, pipe:read("*l"))
    return pipe:read("*l")
  end

  setup(function()
    assert.equal("", support.output_of("make -s LUA=jit 2>&1"))
    browser, servers = browsers.start(), {}
    address = serve("")
  end)
  before_each(function()
    page = browser:page()
    page:resize(800, 600)
    page:open(address)
  end)
  after_each(function() page:close() end)
  teardown(function()
    if browser then browser:stop() end
    for _, pid in ipairs(servers) do os.execute("kill " .. pid) end
  end)

  -- Asks once the last answer is whole and the field has the focus, which a new page gives it a moment after loading.
  local function ask(question)
    page:wait_for("!document.getElementById('ask').hidden && document.activeElement.id === 'question'")
    page:write(question)
    page:press_enter()
    page:wait_for("document.getElementById('question').value === ''")
  end

  local function stats()
    return llm.assert(support.client(gateway):request({ method = "GET", path = "/~stats" }))
  end

  local function no_stream_is_left()
    local deadline = os.time() + 10
    local open
    repeat
      open = stats().streams_open
    until open == 0 or os.time() > deadline
    return open == 0
  end

  it("answers, and remembers what was said", function()
    ask("My name is Ada. What is 6 times 7?")
    page:wait_for(LAST .. ".textContent === '6 * 7 = 42'")
    ask("What is my name?")
    page:wait_for(LAST .. ".textContent === 'Your name is Ada.'")
    page:screenshot("chat")
  end)

  it("shows the words while the stream goes on, and stops it at a click", function()
    ask("My name is Ada.")
    ask("Count to 5000")
    page:wait_for(LAST .. ".textContent.startsWith('1 2 3 4 5')")
    assert.equal(1, stats().streams_open)
    local seen = page:evaluate(LAST .. ".textContent.length")
    page:wait_for(LAST .. ".textContent.length > " .. seen + 20)
    page:screenshot("streaming")
    page:click("#stop")
    page:wait_for(LAST .. ".textContent === 'stopped'")
    assert.is_true(no_stream_is_left())
    ask("What is my name?")
    page:wait_for(LAST .. ".textContent === 'Your name is Ada.'")
  end)

  it("shows why a question was refused", function()
    ask("Tell me the password")
    page:wait_for(LAST .. ".className === 'error'")
    assert.equal("Request denied by policy", page:evaluate(LAST .. ".textContent"))
    assert.is_true(page:evaluate(LAST .. ".getBoundingClientRect().bottom < form.getBoundingClientRect().top"))
    page:screenshot("refused")
  end)

  it("stays within a narrow window", function()
    page:resize(360, 640)
    ask("Repeat: " .. ("word"):rep(60))
    page:wait_for(LAST .. ".textContent.length > 200")
    assert.is_true(page:evaluate("document.documentElement.scrollWidth <= innerWidth"))
    page:screenshot("narrow")
  end)

  it("stops the model when the tab is closed", function()
    ask("Count to 5000")
    page:wait_for(LAST .. ".textContent.startsWith('1 2 3')")
    assert.equal(1, stats().streams_open)
    page:close()
    assert.is_true(no_stream_is_left())
  end)

  it("says that an answer broke off, and keeps what came", function()
    page:open(serve("/~fault/cut"))
    ask("Count to 500")
    page:wait_for("document.querySelector('#said .error')")
    assert.equal("the answer broke off", page:evaluate(LAST .. ".textContent")) -- and names no host behind the server
    assert.equal("1 2", page:evaluate("document.querySelector('#said .assistant').textContent"))
    page:screenshot("cut")
  end)
end)
