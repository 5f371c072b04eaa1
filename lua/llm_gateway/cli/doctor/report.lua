-- cli/doctor/report.lua: how the doctor's findings are printed: a line each, and the options to copy.

local Report = {}
Report.__index = Report

local SIGNS = { ok = "ok  ", no = "no  ", warn = "!!  ", skip = "--  " }

-- Adds a line: sign ("ok", "no", "warn" or "skip"), what was looked at, and what was found.
function Report:add(sign, what, found)
  table.insert(self.lines, { sign = sign, what = what, found = found })
  io.stdout:write(SIGNS[sign], ("%-12s"):format(what), found and (" " .. found) or "", "\n")
  io.stdout:flush()
end

-- Adds an option of llm.new to copy: its name, and its value as Lua text.
function Report:set(name, value, why)
  table.insert(self.options, { name = name, value = value, why = why })
end

-- Prints the options, ready to copy.
function Report:finish(spent, requests)
  io.stdout:write("\nllm.new{\n")
  for _, option in ipairs(self.options) do
    local line = ("  %s = %s,"):format(option.name, option.value)
    io.stdout:write(option.why and ("%-50s -- %s"):format(line, option.why) or line, "\n")
  end
  io.stdout:write("}\n\n", ("%d tokens spent, in %d requests\n"):format(spent, requests))
end

local function new()
  return setmetatable({ lines = {}, options = {} }, Report)
end

return { new = new }
