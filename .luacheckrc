std = "min"
max_line_length = 120
cache = false
exclude_files = { "build/**", "node_modules/**", ".rocks/**" }
read_globals = {
  "unpack", -- 5.1; later Luas have it in table
  table = { fields = { "unpack" } },
  math = { fields = { "type", "tointeger" } },
  package = { fields = { "searchpath" } },
  debug = { fields = { "traceback", "getinfo" } },
  coroutine = { fields = { "isyieldable" } },
}
files["spec/**"] = { std = "+busted" }
files["examples/**"] = { std = "max" }
files["examples/neovim"] = { globals = { "vim" } }
files["spec/hosts/neovim.lua"] = { globals = { "vim" } }
files["examples/embed"] = { globals = { "words" } }
files["spec/hosts/checkhealth.lua"] = { globals = { "vim" } }
files["lua/llm_gateway/health.lua"] = { globals = { "vim" } }
files["spec/mutants"] = { max_line_length = false } -- they quote code
files["lua/llm_gateway/types"] = { ignore = { "211", "212", "241" } }
