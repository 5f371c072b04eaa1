-- Memory that runs out: every public call with every one of its allocations failing (spec/sweep/calls.lua), and the
-- loading of the library. `make sweep` tries them all and shows the figures; without it loading goes by steps.
-- The counts of spec/sweep/host.c find leaks: lua-cjson, too, leaks here, so that a leak checker would only find that.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

local objects = require "spec.objects"
local shell = require "spec.shell"
local support = require "spec.support"

local run = shell.try

local ALL = os.getenv("SWEEP") == "all"

local built = {}

local FLAGS = { [""] = "", ["-asan"] = "-fsanitize=address,undefined" }

local function build(variant)
  if built[variant] then return end
  assert(run("mkdir -p build/sweep"))
  local ok, text = run(("gcc -std=c11 -Wall -Wextra -g -O1 %s -o build/sweep/host%s spec/sweep/host.c %s"
    .. " $(pkg-config --cflags --libs lua5.4 libcurl) -Wl,--wrap=free"):format(FLAGS[variant], variant,
    objects.module(variant)))
  assert.is_true(ok, text)
  built[variant] = true
end

local function survives(command)
  local ok, text = run(command)
  assert.is_true(ok, text)
  assert.matches("lua +%d%d+ allocations failed", text)
  if ALL then io.stdout:write(text) end
end

describe("memory that runs out #apart", function()
  local gateway = support.gateway({ delay = 0 })

  it("ends each call with an error, and nothing else", function()
    build("")
    survives("timeout 120 build/sweep/host spec/sweep/calls.lua " .. gateway.url .. " 1")
  end)

  it("breaks no rule that the sanitizers know", function()
    build("-asan")
    survives("ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 timeout 300 build/sweep/host-asan "
      .. "spec/sweep/calls.lua " .. gateway.url .. " " .. (ALL and 1 or 3))
  end)

  it("keeps the library from loading, and no more", function()
    build("")
    survives("timeout 300 build/sweep/host require " .. (ALL and 1 or 11))
  end)
end)
