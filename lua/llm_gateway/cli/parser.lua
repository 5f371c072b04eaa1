-- cli/parser.lua: the command line's words, for argparse.

local M = {}

local MISSING = "llm-gateway needs argparse: on Debian install lua-argparse, elsewhere the rock argparse"

local function add_header(command)
  command:option("--header", "a header field to send, as NAME:VALUE (not for keys); may be given again"):count("*")
end

-- What every command that talks to a gateway takes.
local function add_connection(command)
  command:option("--url", "the gateway (default: LLM_GATEWAY_BASE_URL)")
  command:option("--gateway", "its profile, such as litellm or openrouter")
  command:option("--key-file", "a file with the API key (default: LLM_GATEWAY_API_KEY)")
  add_header(command)
  command:option("--app", "the app's id")
  command:option("--org", "the organisation's id")
  command:option("--timeout", "longest silence, in seconds"):convert(tonumber)
end

local function add_chat(parser)
  local chat = parser:command("chat", "Ask a model. Without a text: from standard input, or at a prompt.")
  chat:argument("text", "the question; @FILE takes it from a file"):args("*")
  chat:option("-m --model", "the model (default: the library's)")
  chat:option("-s --system", "the system message; @FILE takes it from a file")
  chat:option("--schema", "a file with a JSON schema that the answer must fit")
  chat:flag("--json", "print the whole reply as JSON")
  add_connection(chat)
end

local function add_embed(parser)
  local embed = parser:command("embed", "Print the embedding of a text, as JSON.")
  embed:argument("text", "the text; @FILE takes it from a file; without one: standard input"):args("*")
  embed:option("-m --model", "the model (default: the library's)")
  add_connection(embed)
end

local function add_doctor(parser)
  local doctor = parser:command("doctor", "Find out what a gateway can do, and what to set for it.")
  doctor:argument("url", "the gateway's address"):args("?")
  doctor:option("-m --model", "the model to try (default: the first that is listed)")
  doctor:flag("--no-chat", "spend no tokens")
  add_header(doctor)
  doctor:option("--key-file", "a file with the API key (default: LLM_GATEWAY_API_KEY)")
  doctor:option("--timeout", "longest wait for one answer, in seconds (default: 10)"):convert(tonumber)
end

-- The parser; or nil and a message where argparse is missing.
function M.new()
  local found, argparse = pcall(require, "argparse")
  if not found then return nil, MISSING end
  local parser = argparse("llm-gateway", "Talks to an LLM gateway: OpenAI, Anthropic, Bedrock, Ollama behind one API.")
  parser:command_target("command")
  parser:flag("--version", "Print the version and exit.")
  add_chat(parser)
  add_embed(parser)
  add_connection(parser:command("models", "List the models."))
  add_connection(parser:command("health", "Ask the gateway how it is."))
  local serve = parser:command("serve", "Run the development gateway, to try things on.")
  serve:argument("arguments", "what llm-gateway-dev takes"):args("*")
  add_doctor(parser)
  return parser
end

return M
