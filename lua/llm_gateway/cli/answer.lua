-- cli/answer.lua: asks for one answer and writes it to standard output as it comes. Ctrl-C stops the answer alone.

local core = require("llm_gateway.core")
local llm = require("llm_gateway")
local output = require("llm_gateway.cli.output")
local spinners = require("llm_gateway.cli.spinner")

local M = {}

local TICK = 0.1 -- seconds between two looks at Ctrl-C and the spinner

-- Steps the loop until the task has ended, or Ctrl-C ends it.
local function drive(task, spinner)
  task:on_done(function() end) -- what it fails with is heard, by the join below
  while task:status() == "pending" do
    llm.step(TICK)
    spinner:turn()
    if core.take_interrupt() then task:cancel() end
  end
  spinner:stop()
  return task:join()
end

-- Runs fn(spinner) as a task and waits for it. Returns what it returned; or nil, err.
function M.run(fn)
  local spinner = spinners.new()
  return drive(llm.spawn(fn, spinner), spinner)
end

-- Streams the answer of ask() (which returns a stream, or nil, err) to standard output, as a line of its own if there
-- is any. Returns true; or nil, err; and whether something was written.
function M.stream(ask)
  local has_written = false
  local ok, err = M.run(function(spinner)
    local stream, err = ask()
    if not stream then return nil, err end
    local chunk
    chunk, err = stream:next()
    while chunk do
      local choice = chunk.choices and chunk.choices[1]
      local text = choice and choice.delta.content
      if type(text) == "string" and text ~= "" then
        spinner:stop()
        has_written = true
        output.write(text)
      end
      chunk, err = stream:next()
    end
    if err then return nil, err end
    return true
  end)
  if has_written then io.stdout:write("\n") end
  return ok, err, has_written
end

return M
