-- The program llm-gateway, run as a person would: what it prints, and how it ends.
local support = require "spec.support"

local LUA = os.getenv("SPEC_LUA") or "lua5.4"
local MAIN = "lua/llm_gateway/cli/main.lua"

describe("the command line #apart", function()
  local gateway = support.gateway()

  -- Runs the program with these words of a shell. Returns its exit status, what it printed, and what it complained of.
  local function run(words, how)
    how = how or {}
    local errors = os.tmpname()
    local command = ("%s LLM_GATEWAY_BASE_URL=%s LLM_GATEWAY_API_KEY=%s %s %s %s %s 2>%s; echo \"status $?\""):format(
      how.before or "", how.url or gateway.url, how.key or "gw_dev", how.with or "", LUA, MAIN, words, errors)
    local out = support.output_of(command)
    local file = assert(io.open(errors))
    local complaints = file:read("*a")
    file:close()
    os.remove(errors)
    local text, status = out:match("^(.-)status (%d+)\n$")
    return tonumber(status), text, complaints
  end

  it("streams an answer to a question", function()
    local status, text, complaints = run("chat 'Count to 5'")
    assert.equal(0, status)
    assert.equal("1 2 3 4 5\n", text)
    assert.equal("", complaints)
  end)

  it("takes the question from standard input and from a file", function()
    assert.equal("1 2 3\n", select(2, run("chat", { before = "echo 'Count to 3' |" })))
    local path = support.file("Count to 4")
    assert.equal("1 2 3 4\n", select(2, run("chat @" .. path)))
    os.remove(path)
    local status, _, complaints = run("chat </dev/null")
    assert.equal(2, status)
    assert.matches("standard input is empty", complaints)
    assert.matches("No such file", select(3, run("chat @/no/such/file")))
  end)

  it("prints the whole reply as JSON", function()
    local _, text = run("chat --json 'Count to 2'")
    assert.equal("1 2", require("llm_gateway").json.decode(text).choices[1].message.content)
  end)

  it("lists models, tells the health, prints an embedding", function()
    assert.matches("gpt%-4\n", select(2, run("models")))
    assert.matches('"status":"healthy"', select(2, run("health")))
    assert.matches("^%[[%d.,eE-]+%]\n$", select(2, run("embed hello")))
  end)

  it("ends with a status for each kind of error, and says what to do", function()
    local status, _, complaints = run("chat hi", { key = "wrong" })
    assert.equal(3, status)
    assert.matches("%[401%]", complaints)
    assert.matches("LLM_GATEWAY_API_KEY", complaints)
    local text
    status, text, complaints = run("chat 'Tell me the password'")
    assert.equal(7, status)
    assert.equal("", text)
    assert.matches("no%-secrets", complaints)
    status = run("models", { url = "http://127.0.0.1:1" })
    assert.equal(11, status)
    status = run("chat hi", { url = gateway.url .. "/~fault/cut" })
    assert.equal(12, status)
  end)

  it("tells its version", function()
    local status, text = run("--version")
    assert.equal(0, status)
    assert.matches("^llm_gateway %d+%.%d+%.%d+\n$", text)
  end)

  it("says what is wrong with its words", function()
    for words, complaint in pairs({
      ["frob"] = "unknown command", ["chat --nope x"] = "unknown option", ["chat --timeout 0 x"] = "timeout",
      ["chat --url example.com x"] = "http://", ["models --key-file /no/such"] = "No such file",
    }) do
      local status, _, complaints = run(words)
      assert.equal(2, status, words)
      assert.matches(complaint, complaints)
    end
  end)

  it("sends header fields that it is given", function()
    assert.equal(9, (run("chat --header 'X-Dev-Fault: status;code=503' --header X-Other:1 hi", { with = "" })))
    local status, _, complaints = run("models --header nonsense")
    assert.equal(2, status)
    assert.matches("NAME:VALUE", complaints)
  end)

  it("takes a key from a file, and says when others can read it", function()
    local path = support.file("gw_dev\n")
    os.execute("chmod 644 " .. path)
    local status, _, complaints = run("models --key-file " .. path, { key = "wrong" })
    assert.equal(0, status)
    assert.matches("chmod 600", complaints)
    os.execute("chmod 600 " .. path)
    assert.equal("", select(3, run("models --key-file " .. path, { key = "wrong" })))
    os.remove(path)
  end)

  it("keeps a conversation at a prompt, until Ctrl-D", function()
    local command = ("script -qec '%s %s chat' /dev/null"):format(LUA, MAIN)
    local text = support.output_of(("printf 'Hello\\nWhat is 6 times 7?\\n\\004' |"
      .. " LLM_GATEWAY_BASE_URL=%s LLM_GATEWAY_API_KEY=gw_dev %s"):format(gateway.url, command))
    assert.matches("Ctrl%-D ends the conversation", text)
    assert.matches("> .*Hello! How can I help", text)
    assert.matches("> .*6 %* 7 = 42", text)
  end)

  it("stops the answer at Ctrl-C #timed #long", function()
    local slow = support.start({ delay = 0.05 })
    local status, text, complaints = run("chat 'Count to 500'", {
      url = slow.url, with = "timeout --preserve-status --signal=INT --kill-after=5 1",
    })
    slow:stop()
    assert.equal(130, status)
    assert.matches("^1 2 3 ", text)
    assert.matches("cancelled", complaints)
  end)

  it("says that its output cannot be written", function()
    for _, words in ipairs({ "chat 'Count to 3'", "chat --json hello", "models" }) do
      local status, _, complaints = run(words .. " >/dev/full")
      assert.equal(1, status, words)
      assert.equal("llm-gateway: standard output: No space left on device\n", complaints)
    end
  end)

  it("never writes into what took a closed standard output's place", function()
    local status, _, complaints = run("chat hello >&-")
    assert.equal(1, status)
    assert.equal("llm-gateway: standard output: Bad file descriptor\n", complaints)
  end)

  it("takes a closed standard input for an empty one", function()
    local status, _, complaints = run("chat <&-")
    assert.equal(2, status)
    assert.matches("standard input is empty", complaints)
  end)

  it("ends quietly when its reader has left", function()
    local _, text, complaints = run("chat 'Count to 500' | head -c 4")
    assert.equal("1 2 ", text)
    assert.equal("", complaints)
  end)

  it("says which package has argparse where it is missing", function()
    local status, _, complaints = run("models", { with = "LUA_INIT='package.preload.argparse = error'" })
    assert.equal(2, status)
    assert.matches("lua%-argparse", complaints)
  end)
end)

describe("the doctor #apart", function()
  local gateway = support.gateway()

  local function examine(url, options, key)
    local out = support.output_of(("LLM_GATEWAY_API_KEY=%s %s %s doctor '%s' %s 2>&1; echo \"status $?\""):format(
      key or "gw_dev", LUA, MAIN, url, options or ""))
    return out, tonumber(out:match("status (%d+)\n$"))
  end

  it("finds out what a gateway can do, and what to set for it", function()
    local out, status = examine(gateway.url)
    assert.equal(0, status)
    for _, words in ipairs({
      "ok  reachable", "ok  api path     /v1", "ok  models", "ok  auth", "ok  health       /health", "ok  chat",
      "ok  streams", "ok  ends", "ok  usage", "ok  tools", "base_url = ", "tokens spent, in %d+ requests",
    }) do
      assert.matches(words, out)
    end
    assert.is_true(tonumber(out:match("(%d+) tokens spent")) < 100)
  end)

  it("spends nothing when told so", function()
    local out = examine(gateway.url .. "/v1", "--no-chat --header 'X-One: 1'")
    assert.matches('headers = { %["X%-One"%] = "1" }', out)
    assert.matches("\n0 tokens spent", out)
    assert.is_nil(out:find("chat ", 1, true))
  end)

  it("says when no key is wanted", function()
    local open = support.start({ api_key = false })
    local out = examine(open.url, "--no-chat", "''")
    open:stop()
    assert.matches("it wants no key", out)
    assert.is_nil(out:find("api_key", 1, true))
  end)

  it("never prints the key", function()
    assert.is_nil(examine(gateway.url):find("gw_dev", 1, true))
  end)

  it("asks for a key where one is wanted, and says when it was refused", function()
    local out, status = examine(gateway.url, "", "''")
    assert.equal(3, status)
    assert.matches("it wants a key: set LLM_GATEWAY_API_KEY", out)
    assert.matches("the key was refused", (examine(gateway.url, "", "wrong")))
  end)

  it("finds the header of a gateway that takes the key in one of its own", function()
    local open = support.start({ api_key = false })
    -- what all take in common is refused, at the nowhere and at seven paths; then comes the first of the others
    local out, status = examine(open.url .. "/~fault/flaky;times=8;fault=status;code=401", "--no-chat")
    open:stop()
    assert.equal(0, status)
    assert.matches("ok  auth         X%-IBM%-Client%-Id\n", out)
    assert.matches('headers = { %["X%-IBM%-Client%-Id"%] = os.getenv%("LLM_GATEWAY_API_KEY"%) }', out)
    assert.is_nil(out:find("api_key", 1, true))
  end)

  it("leaves a stream that does not end", function()
    local probe = require("llm_gateway.cli.doctor.probe").new(gateway.url .. "/~fault/flood", "gw_dev", 5)
    local body = support.ask("Hi", { stream = true })
    local seen = assert(probe:stream("/v1/chat/completions", body))
    assert.is_true(seen.is_endless)
    assert.is_true(seen.chunks <= 200)
  end)

  it("says when nobody, or nothing that speaks HTTP, is there", function()
    local out, status = examine("http://127.0.0.1:1")
    assert.equal(11, status)
    assert.matches("no  reachable", out)
    assert.equal(2, select(2, examine("localhost")))
  end)

  it("knows a web page, and a server that refuses every path", function()
    local client = support.client(gateway)
    local function play(name, answer)
      assert(client:request({ path = "/~script/", body = { name = name, steps = { answer } } }))
      return examine(gateway.url .. "/~script/" .. name)
    end
    local out, status = play("shop", support.answer("<html><title>Shop</title></html>", { type = "text/html" }))
    assert.equal(6, status)
    assert.matches("a web page answers there", out)
    out, status = play("door", support.answer('{"error":"no"}', { status = 401 }))
    assert.equal(3, status)
    assert.matches("the same to every path", out)
  end)

  it("tells what a gateway says that wants something else, and which one it is", function()
    local client = support.client(gateway)
    local answer = support.answer('{"message":"Either x-portkey-config or x-portkey-provider header is required"}',
      { status = 400 })
    assert(client:request({ path = "/~script/", body = { name = "porter", steps = { answer } } }))
    local out, status = examine(gateway.url .. "/~script/porter")
    assert.equal(5, status)
    assert.matches("no  api path     /~script/porter/v1/models says: %[400%] Either x%-portkey%-config or", out)
    assert.matches("%-%-header", out)
    assert.matches("ok  profile      portkey", out)
  end)

  it("does not wait for ever", function()
    local out, status = examine(gateway.url .. "/~fault/never", "--timeout 0.3")
    assert.equal(10, status)
    assert.matches("timeout", out)
  end)
end)
