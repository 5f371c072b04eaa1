-- run.lua: the benchmark: asks every question of questions.lua and prints the report; writes it, and the chart, into
-- build/bench.
--
--   lua5.4 bench/report/run.lua [KEY...]     some questions only (questions.lua has the keys; "growth" for the rest)
--
-- Of some questions only their sections are recorded, and the chart when it has all of its own.
--
-- BENCH_ROUNDS says how often each command runs (5; less often when a question has had its time). BENCH_RECORD=yes
-- puts the tables into bench/README.md and the chart beside it. Leans on measured.lua, tables.lua, chart.lua.

package.path = package.path .. ";bench/?.lua;bench/report/?.lua"
local chart = require "chart"
local measured = require "measured"
local place = require "place"
local questions = require "questions"
local readme = require "readme"
local tables = require "tables"

local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS")) or 5
local GROWTH_ROUNDS = math.min(ROUNDS, 3)
local SECONDS, GROWTH_SECONDS = 20, 2 -- for a question, for a cell of a table of growth: no further round after that
local ENDS = os.time() + 570 -- what was not asked by then is left out
local IS_RECORDED = os.getenv("BENCH_RECORD") == "yes"
local PIP = "build/bench/peers/python/bin/pip"
local CHART = {
  { "chat", "A blocking chat, CPU in µs" }, { "chunk", "A streamed chunk, CPU in µs" },
  { "streams", "An event of 1,000 streams, CPU in µs" }, { "start", "Start-up, CPU in ms" },
}

local wanted
if arg[1] then wanted = {} end
for _, key in ipairs(arg) do wanted[key] = true end
for _, question in ipairs(questions.questions) do -- of one that reads another's run, both are asked
  if wanted and wanted[question.key] and question.from then wanted[question.from] = true end
end

local report = {}

local function say(text)
  table.insert(report, text)
  print(text)
  io.stdout:flush()
end

local function first_line(command)
  return place.output_of(command .. " 2>/dev/null"):match("^[^\n]*") or ""
end

local function version_of(path, pattern)
  local file = io.open(path)
  local text = file and file:read("*a"):match(pattern)
  if file then file:close() end
  return text or "pending"
end

-- What was measured, on what.
local function say_machine()
  local parts = {
    version_of("/proc/cpuinfo", "model name%s*: ([^\n]*)") .. ", " .. first_line("nproc") .. " processors",
    first_line(". /etc/os-release && echo $PRETTY_NAME"),
    first_line("lua5.4 -v"):match("^Lua %S+"), first_line("luajit -v"):match("^LuaJIT %S+"),
    first_line("curl-config --version"), "node " .. first_line("node --version"),
    "openai " .. version_of("build/bench/peers/node_modules/openai/package.json", '"version": "([^"]*)"') .. " (npm)",
    "openai " .. (first_line(PIP .. " show openai | grep ^Version"):match("[%d.]+$") or "pending") .. " (PyPI)",
    ("up to %d rounds"):format(ROUNDS), "load average before the run " .. version_of("/proc/loadavg", "^%S+"),
  }
  say(table.concat(parts, "; ") .. ".\n")
end

local bench = measured.open(questions.contestants)
local asked, panels = {}, {}

-- Whether there is time for one more; says so when there is not.
local function has_time(title)
  if os.time() < ENDS then return true end
  say("### " .. title .. "\n\nNot asked: the time was over.\n")
end

local function ask(question)
  local from = asked[question.from or ""]
  local rows = from and from.rows or question.rows
  local results = from and from.results or bench:interleaved(rows, ROUNDS, question.seconds or SECONDS)
  asked[question.key] = { rows = rows, results = results }
  local list, limit, ours = tables.figures(question, rows, results, questions.contestants)
  for i, entry in ipairs(CHART) do
    if entry[1] == question.key then panels[i] = { title = entry[2], list = list } end
  end
  local text = tables.question(question, list, limit, ours)
  say(text)
  if wanted and IS_RECORDED then readme.put_section("the run", question.title, text) end
end

-- A form that took too long at one step is not tried at the next.
local function grow(growth)
  local cells = {}
  for i, form in ipairs(growth.forms) do
    cells[i] = {}
    for j, step in ipairs(growth.steps) do
      local row = { who = form[1], arguments = form[2]:format(step), command = form.command }
      local before = cells[i][j - 1]
      cells[i][j] = type(before) == "string" and before or bench:interleaved({ row }, GROWTH_ROUNDS, GROWTH_SECONDS)[1]
    end
  end
  say(tables.growth(growth, cells, questions.contestants))
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

say_machine()
for _, question in ipairs(questions.questions) do
  local is_wanted = not wanted or wanted[question.key] or wanted[question.from]
  if is_wanted and has_time(question.title) then ask(question) end
end
if not wanted or wanted.growth then
  say("## Growth\n")
  for _, growth in ipairs(questions.growth) do
    if has_time(growth.title) then grow(growth) end
  end
end
bench:close()

write("build/bench/report.md", table.concat(report, "\n"))
if not wanted and IS_RECORDED then readme.put("the run", table.concat(report, "\n")) end
if #panels == #CHART then
  write("build/bench/chart.svg", chart.draw(panels))
  if IS_RECORDED then write("bench/chart.svg", chart.draw(panels)) end
end
