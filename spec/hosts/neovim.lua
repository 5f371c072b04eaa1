-- neovim.lua: drives the example plugin inside a headless Neovim, and prints what became of it.
local uv = vim.uv or vim.loop
local plugin = require "llm"

plugin.setup({ base_url = os.getenv("URL"), api_key = "gw_dev", max_retries = 0 })

local function say(...)
  io.stdout:write(table.concat({ ... }, ""), "\n")
end

local gaps, last = {}, uv.hrtime()
local ticker = uv.new_timer()
ticker:start(0, 5, function()
  local now = uv.hrtime()
  table.insert(gaps, (now - last) / 1e6)
  last = now
end)

local notified
vim.notify = function(text) notified = text end

-- Runs `next` once `condition` holds; ends Neovim with an error when that takes too long.
local function when(condition, next)
  local tries = 0
  local function look()
    tries = tries + 1
    if condition() then return next() end
    if tries > 2000 then
      say("gave up")
      vim.cmd("cquit")
    end
    vim.defer_fn(look, 5)
  end
  look()
end

local function watch(buffer)
  local seen = { changes = 0 }
  vim.api.nvim_buf_attach(buffer, false, { on_lines = function() seen.changes = seen.changes + 1 end })
  return seen
end

local function text_of(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), "\n")
end

-- The window in front shows another buffer; keys go there while the answer comes.
local typing = vim.api.nvim_get_current_buf()
local function keep_typing()
  if not plugin.busy() then return end
  vim.api.nvim_input("Ax<Esc>")
  vim.defer_fn(keep_typing, 20)
end

local function leave_under_way()
  local seen = watch(plugin.ask("Count to 500"))
  when(function() return seen.changes > 3 end, function()
    say("the end")
    vim.cmd("qa!")
  end)
end

local function be_denied()
  vim.cmd("LLM Tell me the password")
  when(function() return notified end, function()
    say("notified: ", notified)
    leave_under_way()
  end)
end

local function stop_one()
  local seen = watch(plugin.ask("Count to 500"))
  when(function() return seen.changes > 5 end, function()
    vim.cmd("LLMStop")
    when(function() return not plugin.busy() end, be_denied)
  end)
end

local function report(buffer, seen)
  table.sort(gaps)
  say("answer: ", text_of(buffer))
  say("changes: ", seen.changes)
  say("typed: ", #text_of(typing))
  say("median gap ms: ", ("%.2f"):format(gaps[math.ceil(#gaps / 2)]))
  say("longest gap ms: ", ("%.2f"):format(gaps[#gaps]))
  stop_one()
end

vim.schedule(function()
  local buffer = plugin.ask("Count to 30")
  local seen = watch(buffer)
  gaps, last = {}, uv.hrtime()
  keep_typing()
  when(function() return not plugin.busy() end, function() report(buffer, seen) end)
end)
