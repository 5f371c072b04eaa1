-- vm.lua: instructions of Lua's virtual machine by the file of the library that they belong to, which callgrind cannot
-- tell apart. A count hook sees each one. Like callgrind's, the counts are those of a long run less those of a short
-- one. Leans on llm_gateway; runs in this process.

local llm = require "llm_gateway"

local M = {}

-- Runs fn. Returns how many instructions each file took meanwhile; a file is "call/init" or the like.
local function count(fn)
  local by_file = {}
  local function hook()
    local file = debug.getinfo(2, "S").source:match("llm_gateway/(.*)%.lua$")
    if file then by_file[file] = (by_file[file] or 0) + 1 end
  end
  debug.sethook(hook, "", 1)
  fn()
  debug.sethook()
  return by_file
end

local question = { model = "gpt-4", messages = { { role = "user", content = "Hello!" } } }
local streaming = { model = "gpt-4", messages = question.messages, stream = true }

-- What is counted, in the order of count.lua's own list: fn(client), the server's paths and the times of a short and of
-- a long run, and the units between them.
local WORKS = {
  {
    fn = function(client) llm.assert(client:chat(question)) end,
    paths = { "/chat", "/chat" }, times = { 5, 25 }, units = 20,
  },
  {
    fn = function(client) for _ in llm.assert(client:chat(streaming)) do end end, -- luacheck: ignore 542
    paths = { "/stream-100", "/stream-1100" }, times = { 1, 1 }, units = 1000,
  },
  {
    fn = function(client) llm.assert(llm.assert(client:chat(streaming)):collect()) end,
    paths = { "/stream-100", "/stream-1100" }, times = { 1, 1 }, units = 1000,
  },
}

local function of_run(url, work, i)
  local client = llm.new({ base_url = url .. work.paths[i], api_key = "gw_bench", max_retries = 0 })
  return count(function()
    for _ = 1, work.times[i] do work.fn(client) end
  end)
end

-- For each work a table of instructions a unit, by file.
function M.count_all(url)
  local all = {}
  for n, work in ipairs(WORKS) do
    of_run(url, work, 1) -- loads what is loaded when it is first needed
    local short, long = of_run(url, work, 1), of_run(url, work, 2)
    for file, instructions in pairs(long) do long[file] = (instructions - (short[file] or 0)) / work.units end
    all[n] = long
  end
  return all
end

return M
