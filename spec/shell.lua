-- shell.lua: files and commands, for specs and for programs beside them. Leans on io and os alone.

local M = {}

-- The bytes of a file; nil when there is none.
function M.read_if_there(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

-- The bytes of a file. Raises when it cannot be read.
function M.read(path)
  return M.read_if_there(path) or error("cannot read " .. path, 2)
end

-- Writes a file. Raises when that cannot be done.
function M.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  file:close()
end

-- What a command prints on its standard output.
function M.output_of(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- The same as a list of lines.
function M.lines(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do table.insert(list, line) end
  pipe:close()
  return list
end

-- Whether a command succeeds.
function M.succeeds(command)
  local result = os.execute(command)
  return result == true or result == 0
end

-- Whether a command succeeds, and what it prints, on either output.
function M.try(command)
  local text = M.output_of(command .. " 2>&1; echo \" status $?\"")
  local printed, status = text:match("^(.*) status (%d+)%s*$")
  return status == "0", printed
end

return M
