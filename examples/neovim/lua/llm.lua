-- llm.lua: a Neovim plugin to copy: `:LLM question` streams an answer into a buffer, `:LLMStop` ends it.
--
-- Put this folder on 'runtimepath', install llm-gateway for Lua 5.1 (Neovim runs LuaJIT), and perhaps
--   require("llm").setup{ base_url = "http://localhost:8000", api_key = "gw_...", model = "gpt-4" }
-- The answer comes inside Neovim's own event loop: no process is forked, and no key appears in `ps`.

local M = {}

local settings = { model = "gpt-4" }
local llm, client, attached, running

-- Options: model, and those of llm.new.
function M.setup(options)
  for name, value in pairs(options) do settings[name] = value end
  client = nil
end

local function notify(err)
  vim.notify(tostring(err), vim.log.levels.ERROR)
end

-- Neovim's own loop drives the library's: said once, however often the settings change.
local function attach()
  llm = require "llm_gateway"
  attached = attached or require("llm_gateway.loop.luv").attach({
    uv = vim.uv or vim.loop, schedule = vim.schedule, budget = 0.005,
  })
  llm.loop().on_error = notify
end

local function connect()
  if client then return client end
  attach()
  local options = {}
  for name, value in pairs(settings) do
    if name ~= "model" then options[name] = value end
  end
  client = llm.new(options)
  return client
end

-- A buffer for the answer in a window below; the cursor stays where it was.
local function open_buffer()
  local window = vim.api.nvim_get_current_win()
  vim.cmd("botright new")
  local buffer = vim.api.nvim_get_current_buf()
  vim.bo[buffer].buftype = "nofile"
  vim.api.nvim_set_current_win(window)
  return buffer
end

local function append(buffer, text)
  if not vim.api.nvim_buf_is_valid(buffer) then return M.stop() end
  local row = vim.api.nvim_buf_line_count(buffer) - 1
  local column = #vim.api.nvim_buf_get_lines(buffer, row, row + 1, true)[1]
  vim.api.nvim_buf_set_text(buffer, row, column, row, column, vim.split(text, "\n", { plain = true }))
end

local function stream_into(buffer, question)
  local request = { model = settings.model, messages = { { role = "user", content = question } }, stream = true }
  for text in llm.assert(client:chat(request)):texts() do append(buffer, text) end
end

-- Streams the answer into a new buffer, whose number it returns. Errors become notifications.
function M.ask(question)
  M.stop()
  connect()
  local buffer = open_buffer()
  running = llm.spawn(stream_into, buffer, question)
  running:on_done(function(_, err)
    if err and err.kind ~= "cancelled" then notify(err) end
  end)
  return buffer
end

-- Cancels the answer under way; the gateway stops too.
function M.stop()
  if running then running:cancel() end
  running = nil
end

-- Whether an answer is under way.
function M.busy()
  return running ~= nil and (running:status() == "pending" or running:status() == "running")
end

return M
