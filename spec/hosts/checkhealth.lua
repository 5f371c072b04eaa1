-- checkhealth.lua: prints what `:checkhealth llm_gateway` shows in a headless Neovim.
vim.cmd("checkhealth llm_gateway")
for _, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do io.stdout:write(line, "\n") end
vim.cmd("qa!")
