-- callgrind.lua: runs a program under callgrind and reads what it counted: instructions, by the stage they belong to.
-- Leans on valgrind. Knows the file format of callgrind.out (its manual, "Callgrind Format Specification").

local M = {}

-- By the name of the object file, the first that is found. The core's own files are told apart below.
local OBJECTS = {
  { "core%.so", "the core" }, { "cjson", "lua-cjson" }, { "lua", "Lua: code, tables, collector" },
  { "libcurl", "libcurl" }, { "libssl", "TLS" }, { "libcrypto", "TLS" }, { "libc%.so", "libc" },
}

-- Files of the core, by the beginning of their names.
local CORE_FILES = {
  { "ljson", "core: values of JSON" }, { "json", "core: JSON's grammar" }, { "sse", "core: SSE parser" },
  { "l%l", "core: binding" },
}

local MEMORY = { "alloc", "free", "^mem", "^str", "^__mem", "^__str" }

local function first_match(rows, text)
  for _, row in ipairs(rows) do
    if text:find(row[1]) then return row[2] end
  end
end

local function stage_of_core(file)
  local name = file:match("([^/]*)$")
  for _, row in ipairs(CORE_FILES) do
    if name:find("^" .. row[1]) and not name:find("^loop") and name ~= "list.h" then return row[2] end
  end
  return "core: transfers and loop"
end

local function stage_of(object, file, fn)
  local stage = first_match(OBJECTS, object:match("([^/]*)$"))
  if stage == "the core" then return stage_of_core(file) end
  if stage ~= "libc" then return stage or "other" end
  for _, pattern in ipairs(MEMORY) do
    if fn:find(pattern) then return "libc: memory and strings" end
  end
  return "libc: rest"
end

-- Names are written once, as "(7) name", and later as "(7)".
local function name_reader()
  local names = {}
  return function(text)
    local id, name = text:match("^(%(%d+%)) ?(.*)$")
    if not id then return text end
    if name ~= "" then names[id] = name end
    return names[id]
  end
end

-- The instructions of a callgrind.out file: in all, and by stage.
function M.read(path)
  local total, stages = 0, {}
  local objects, files, fns = name_reader(), name_reader(), name_reader()
  local object, file, fn, is_call = "", "", "", false
  local readers = {
    ob = function(text) object = objects(text) end, cob = objects,
    fl = function(text) file = files(text) end, fi = files, fe = files, cfi = files, cfl = files,
    fn = function(text) fn = fns(text) end, cfn = fns,
    calls = function() is_call = true end,
  }
  for line in io.lines(path) do
    local key, text = line:match("^(%l+)=(.*)$")
    local cost = not key and line:match("^[%d+*-]%S* (%d+)$")
    if key and readers[key] then readers[key](text) end
    if cost and is_call then is_call = false -- what the called function cost, which is counted where it stands
    elseif cost then
      local stage = stage_of(object, file, fn)
      stages[stage] = (stages[stage] or 0) + tonumber(cost)
      total = total + tonumber(cost)
    end
  end
  return total, stages
end

-- Runs a command under callgrind. Returns its instructions in all and by stage, and what it printed.
function M.run(command, path)
  local pipe = assert(io.popen(("valgrind -q --tool=callgrind --callgrind-out-file=%s %s"):format(path, command)))
  local said = pipe:read("*a")
  pipe:close()
  local total, stages = M.read(path)
  os.remove(path)
  return total, stages, said
end

return M
