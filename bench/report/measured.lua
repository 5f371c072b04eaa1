-- measured.lua: runs the commands of questions.lua, interleaved, on another processor than the server, and keeps what
-- they said.
-- Leans on bench/place.lua, taskset and timeout.

local place = require "place"

local M = {}

local SECONDS_AT_MOST = 20 -- for one run; what takes longer is shown as such

-- The processors for server and client: two different ones where there are two.
local function processors()
  local list = place.output_of("taskset -cp $$ 2>/dev/null"):match(": (.*)") or "0"
  local all = {}
  for first, last in list:gmatch("(%d+)-?(%d*)") do
    for i = tonumber(first), tonumber(last) or tonumber(first) do table.insert(all, ("%d"):format(i)) end
  end
  return all[1], all[#all]
end

local Bench = {}
Bench.__index = Bench

-- A bench with the server running. Close it.
function M.open(contestants)
  local client_cpu, server_cpu = processors()
  local tls = { cert = "build/bench/tls/cert.pem", key = "build/bench/tls/key.pem" }
  return setmetatable({
    contestants = contestants, cpu = client_cpu, server = place.start("taskset -c " .. server_cpu, tls), tls = tls,
  }, Bench)
end

function Bench:close()
  self.server:stop()
end

local function is_there(path)
  local file = path and io.open(path)
  if file then file:close() end
  return path == nil or file ~= nil
end

-- Whether the contestant can run at all.
function Bench:has(who)
  return is_there(self.contestants[who].needs)
end

local function settings(self, arguments, modules)
  local cpath = modules and ("LUA_CPATH='build/%s/?.so;build/bench/%s/?.so;;'"):format(modules, modules) or ""
  local trust = ""
  if arguments:find("@@") then
    trust = ("BENCH_CA=%s NODE_EXTRA_CA_CERTS=%s SSL_CERT_FILE=%s"):gsub("%%s", self.tls.cert)
  end
  return cpath .. " " .. trust
end

-- Runs one command. Returns {wall, cpu, units, NAME = number, ...}, or nil when it took too long or failed.
function Bench:run(row)
  local contestant = self.contestants[row.who]
  local arguments = row.arguments:gsub("@@?", { ["@"] = self.server.url, ["@@"] = self.server.tls_url })
  local command = ("%s timeout %d taskset -c %s %s %s"):format(settings(self, row.arguments, contestant.modules),
    SECONDS_AT_MOST, self.cpu, row.command or contestant.command, arguments)
  local line = place.output_of(command)
  local wall, cpu, units = line:match("^(%S+) (%S+) (%S+)")
  if not tonumber(units) then return nil end
  local result = { wall = tonumber(wall), cpu = tonumber(cpu), units = tonumber(units) }
  for name, number in line:gmatch("(%w+)=(%S+)") do result[name] = tonumber(number) end
  return result
end

-- Runs all rows in turn, up to `rounds` times over, and not again once `seconds` are gone. Returns a list of results
-- for each row; the word "pending" for one that is not installed, or "too slow".
function Bench:interleaved(rows, rounds, seconds)
  local results, ends = {}, os.time() + seconds
  for i, row in ipairs(rows) do results[i] = self:has(row.who) and {} or "pending" end
  for round = 1, rounds do
    if round > 1 and os.time() >= ends then break end
    for i, row in ipairs(rows) do
      local result = type(results[i]) == "table" and self:run(row)
      if result then table.insert(results[i], result) end
      if result == nil then results[i] = "too slow" end
    end
  end
  return results
end

-- {median, least, most} of what `of` says of each result.
function M.spread(results, of)
  local numbers = {}
  for i, result in ipairs(results) do numbers[i] = of(result) end
  table.sort(numbers)
  return { median = numbers[math.ceil(#numbers / 2)], least = numbers[1], most = numbers[#numbers] }
end

return M
