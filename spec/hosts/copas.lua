-- copas.lua: a program on copas: a task, and calls made in its own threads, side by side with one that ticks.
local copas = require "copas"
local llm = require "llm_gateway"
local rounds = require "spec.hosts.rounds"

local first = require("llm_gateway.loop.copas").attach()
local second = require("llm_gateway.loop.copas").attach({ loop = llm.loop() })
first.close()

local host = { spawn = copas.addthread, pause = copas.pause, drive = function() copas.loop() end }

rounds.round(host)
rounds.round(host)
second.close()
print("both rounds ended")
