" The commands of the example plugin; see lua/llm.lua.
command! -nargs=+ LLM lua require("llm").ask(<q-args>)
command! LLMStop lua require("llm").stop()
