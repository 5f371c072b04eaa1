-- examples/web_chat: a page's question goes through the relay to the gateway, and its events come back as they are.
-- Tried in those Luas that have lua-http; the page's own script runs in node where there is one.
local llm = require "llm_gateway"
local support = require "spec.support"

if not pcall(require, "http.server") then return end

-- What of a browser the page's script touches.
local BROWSER = [[
const elements = {}
function element(name) {
  return elements[name] ??= { name, value: "", className: "", lines: [], focus() {},
    append(line) { this.lines.push(line) }, addEventListener(kind, call) { this[kind] = call } }
}
globalThis.document = { getElementById: element, createElement: () => ({}), documentElement: {} }
const plain = globalThis.fetch
globalThis.fetch = (path, options) => plain(process.argv[2] + path, options)
%s
;(async () => {
  for (const question of ["My name is Ada. Say hi.", "What is my name?"]) {
    element("question").value = question
    await element("form").submit({ preventDefault() {} })
  }
  for (const line of element("said").lines) console.log(line.className + ": " + line.textContent)
})()
]]

describe("the web chat #apart", function()
  local gateway, pid, url

  setup(function()
    gateway = support.start()
    local lua = os.getenv("SPEC_LUA") or "lua5.4"
    local command = "LLM_GATEWAY_BASE_URL=%s LLM_GATEWAY_API_KEY=gw_dev %s examples/web_chat/server.lua"
      .. " 2>/dev/null & echo $!"
    local pipe = assert(io.popen(command:format(gateway.url, lua)))
    pid, url = pipe:read("*l"), pipe:read("*l")
  end)
  teardown(function()
    os.execute("kill " .. pid)
    gateway:stop()
  end)

  local function ask(question, fields)
    local relay = llm.new({ base_url = url, max_retries = 0 })
    local messages = question and { { role = "user", content = question } }
    local request = { path = "/chat", body = { messages = messages }, stream = true }
    for name, value in pairs(fields or {}) do request[name] = value end
    return relay:request(request)
  end

  it("gives the page", function()
    local page = llm.assert(llm.new({ base_url = url }):request({ method = "GET", path = "/" }))
    assert.matches("<title>Chat</title>", page)
  end)

  it("relays the events as they came", function()
    local text, last = {}, nil
    for event in llm.assert(ask("Count to 5")):events() do
      last = event.data
      local choice = last ~= "[DONE]" and llm.json.decode(last).choices[1]
      table.insert(text, choice and choice.delta.content or "")
    end
    assert.same("1 2 3 4 5", table.concat(text))
    assert.same("[DONE]", last)
  end)

  it("refuses what is no question", function()
    local nothing, err = ask(nil)
    assert.is_nil(nothing)
    assert.same(400, err.status)
  end)

  it("stops the model when the page is closed", function()
    local stream = llm.assert(ask("Count to 5000"))
    assert(stream:next())
    stream:close()
    local stats = support.client(gateway)
    local deadline = os.time() + 5
    local open
    repeat
      open = llm.assert(stats:request({ method = "GET", path = "/~stats" })).streams_open
    until open == 0 or os.time() > deadline
    assert.same(0, open)
  end)

  it("works with the page's own script", function()
    if support.output_of("command -v node") == "" then return end
    local page = io.open("examples/web_chat/page.html"):read("*a")
    local script = page:match("<script>(.*)</script>")
    local path = support.file((BROWSER:gsub("%%s", function() return script end)))
    local said = support.output_of(("node %s %s 2>&1"):format(path, url))
    os.remove(path)
    assert.matches("user: What is my name%?\nassistant: Your name is Ada%.", said)
  end)
end)
