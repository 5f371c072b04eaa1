-- cqueues.lua: a program on a cqueues controller: tasks, and calls made in its own coroutines, side by side.
local cqueues = require "cqueues"
local llm = require "llm_gateway"
local rounds = require "spec.hosts.rounds"

local controller = cqueues.new()
require("llm_gateway.loop.cqueues").attach({ controller = controller })

local host = {
  spawn = function(fn) controller:wrap(fn) end,
  pause = cqueues.sleep,
  drive = function()
    assert(controller:loop(20))
    assert(controller:empty(), "the controller did not become empty")
  end,
}

-- A step of somebody else's brings what a coroutine waits for.
local function step_outside()
  local words
  controller:wrap(function() words = rounds.count_words() end)
  controller:step(0)
  for _ = 1, 200 do
    llm.sleep(0.05)
    controller:step(0)
    if words then break end
  end
  assert(words == 20 and controller:empty(), "the answer was lost")
end

-- The controller's own values are not for a generator of the user's.
local function generate()
  local reply, info
  controller:wrap(function()
    reply, info = coroutine.wrap(function() return rounds.client:health() end)()
  end)
  assert(controller:loop(20))
  assert(reply.status == "healthy" and info == nil, "a coroutine of the user's got the controller's values")
end

-- A loop that is closed, or whose stream is forgotten, lets the controller end.
local function close_loop()
  local loop = llm.new_loop()
  local attached = require("llm_gateway.loop.cqueues").attach({ controller = controller, loop = loop })
  local own = llm.new({ base_url = os.getenv("URL"), api_key = "gw_dev", loop = loop })
  local ended
  controller:wrap(function()
    local stream = llm.assert(own:chat({
      messages = { { role = "user", content = "Count to 500" } }, stream = true,
    }))
    ended = select(2, stream:collect())
  end)
  for _ = 1, 5 do controller:step(0.05) end
  loop:close()
  assert(controller:loop(20))
  assert(controller:empty() and ended.kind == "cancelled")
  attached.close()
end

-- Who rests between two attempts hears that the client was closed, or the loop, and spins no more than it did.
local function close_while_resting()
  local loop = llm.new_loop()
  local attached = require("llm_gateway.loop.cqueues").attach({ controller = controller, loop = loop })
  local function resting(client_or_loop)
    local own = llm.new({ base_url = os.getenv("URL"), api_key = "gw_dev", loop = loop })
    local started, cpu, err = cqueues.monotime(), os.clock(), nil
    controller:wrap(function()
      err = select(2, own:chat({ messages = { { role = "user", content = "x" } },
        headers = { ["X-Dev-Fault"] = "status;code=503;retry_after=9" } }))
    end)
    controller:wrap(function()
      cqueues.sleep(0.2)
      if client_or_loop == "loop" then loop:close() else own:close() end
    end)
    assert(controller:loop(20))
    assert(err.kind == "cancelled" and cqueues.monotime() - started < 3 and os.clock() - cpu < 1)
  end
  resting("client")
  resting("loop")
  attached.close()
end

-- A join hears of the end at once, in whoever's step it came.
local function join()
  for yields = 1, 4 do
    local other = llm.spawn(function() llm.sleep(0.4) end)
    local task = llm.spawn(function()
      for _ = 1, yields do coroutine.yield() end
    end)
    controller:wrap(function()
      local started = cqueues.monotime()
      task:join()
      assert(cqueues.monotime() - started < 0.2, "the join was late")
      other:cancel()
    end)
    assert(controller:loop(20))
  end
end

rounds.round(host)
rounds.round(host)
join()
close_while_resting()
step_outside()
generate()
close_loop()
print("both rounds ended")
