-- watch.lua: the soak's ledger: how calls ended, how late, and what memory and descriptors did meanwhile.
-- Leans on /proc; without it there is only the counting.

local core = require "llm_gateway.core"
local llm = require "llm_gateway"

local Ledger = {}
Ledger.__index = Ledger

local SLACK = 0.25 -- seconds that a call may be late by, beyond what a bare timer was
local TICK = 0.01 -- seconds

local function read(path, pattern)
  local file = io.open(path)
  local text = file and file:read("*a") or ""
  if file then file:close() end
  return tonumber(text:match(pattern))
end

local function rss(pid)
  return read(("/proc/%s/status"):format(pid or "self"), "VmRSS:%s+(%d+)") or 0
end

local function descriptors()
  local pipe = io.popen("ls /proc/$PPID/fd | wc -l")
  local count = tonumber(pipe:read("*a"))
  pipe:close()
  return count or 0
end

-- An empty ledger; it asks these gateways, too, how large they are.
local function new(gateways)
  return setmetatable({
    started = core.now(), gateways = gateways, fates = {}, verbs = {}, calls = 0, wrongs = {}, latest = 0, lag = 0,
    samples = {}, first_descriptors = descriptors(),
  }, Ledger)
end

-- A timer that does nothing else shows how late this machine makes everything.
function Ledger:tick(goes_on)
  while goes_on() do
    local moment = core.now() + TICK
    llm.sleep(TICK)
    self.lag = math.max(self.lag, core.now() - moment)
  end
end

-- One call's end: its verb, its fate, by how many seconds it was late (or early), and what was wrong with it.
function Ledger:count(verb, fate, late, wrong)
  self.calls = self.calls + 1
  self.verbs[verb] = true
  self.fates[fate] = self.fates[fate] or {}
  self.fates[fate][verb] = (self.fates[fate][verb] or 0) + 1
  self.latest = math.max(self.latest, late)
  if wrong then table.insert(self.wrongs, wrong) end
end

function Ledger:sample()
  collectgarbage()
  local theirs = {}
  for _, gateway in ipairs(self.gateways) do table.insert(theirs, ("%d"):format(rss(gateway.pid))) end
  local seen = { rss = rss(), lua = collectgarbage("count"), descriptors = descriptors() }
  table.insert(self.samples, seen)
  print(("%6.1f s %8d calls  RSS %6d kB  Lua %6.0f kB  %4d descriptors  gateways %s kB"):format(
    core.now() - self.started, self.calls, seen.rss, seen.lua, seen.descriptors, table.concat(theirs, " and ")))
  io.stdout:flush()
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do table.insert(list, name) end
  table.sort(list)
  return list
end

local function print_fates(self)
  local verbs = sorted(self.verbs)
  local line = ("%-16s"):rep(1) .. ("%11s"):rep(#verbs + 1)
  print(line:format("", "all", (table.unpack or unpack)(verbs))) -- luacheck: read globals unpack
  for _, fate in ipairs(sorted(self.fates)) do
    local row, all = {}, 0
    for i, verb in ipairs(verbs) do
      row[i] = self.fates[fate][verb] or 0
      all = all + row[i]
    end
    print(line:format(fate, all, (table.unpack or unpack)(row))) -- luacheck: read globals unpack
  end
end

-- Prints the balance. Returns whether nothing hung, nothing was untrue, and nothing grew. `most` is how much may be
-- more in the last sample than in the first: rss and lua in kB, descriptors.
function Ledger:report(most)
  local first, last, left = self.samples[1], self.samples[#self.samples], descriptors()
  local faults = {}
  local function demand(fine, ...)
    if not fine then table.insert(faults, (string.format(...))) end
  end
  print_fates(self)
  print(("%d calls, %.0f a second; the latest end %.3f s after its clock, a bare timer's %.3f s"):format(
    self.calls, self.calls / (core.now() - self.started), math.max(0, self.latest), self.lag))
  print(("RSS %d kB in the first sample, %d kB in the last; Lua's own %.0f and %.0f kB"):format(
    first.rss, last.rss, first.lua, last.lua))
  print(("descriptors %d at the start, %d at the end"):format(self.first_descriptors, left))
  demand(self.calls > 0, "no call was made")
  demand(self.latest <= SLACK + self.lag, "a call ended %.3f s after its clock", self.latest)
  demand(not self.fates["?"], "a call ended without a reply or an error table")
  demand(last.rss - first.rss <= most.rss, "RSS grew by %d kB", last.rss - first.rss)
  demand(last.lua - first.lua <= most.lua, "Lua's memory grew by %.0f kB", last.lua - first.lua)
  demand(left <= self.first_descriptors + most.descriptors, "%d descriptors are left", left)
  demand(#self.wrongs == 0, "%d calls told an untruth; the first: %s", #self.wrongs, self.wrongs[1] or "")
  for _, fault in ipairs(faults) do print("FAILED: " .. fault) end
  if #faults == 0 then print("every call ended, in time, truthfully; nothing grew") end
  return #faults == 0
end

return { new = new }
