-- cli/chat.lua: `llm-gateway chat`: one question, or a conversation at a prompt.

local answer = require("llm_gateway.cli.answer")
local connection = require("llm_gateway.cli.connection")
local core = require("llm_gateway.core")
local exits = require("llm_gateway.cli.exits")
local llm = require("llm_gateway")
local output = require("llm_gateway.cli.output")

local PROMPT = "> "

-- The schema in a file, as a response_format; or nil and a message.
local function schema_of(path)
  local text, why = connection.read_file(path)
  if not text then return nil, why end
  local schema
  schema, why = llm.json.decode(text)
  if type(schema) ~= "table" then return nil, path .. ": " .. (why or "expected a JSON object") end
  return schema
end

-- ---------------------------------------------------------------------------------------------------------
-- One question

local function print_whole(client, request)
  local reply, err = answer.run(function() return client:chat(request) end)
  if not reply then return exits.report(err) end
  output.line(llm.json.encode(reply))
  return exits.OK
end

local function print_text(client, request)
  request.stream = true
  local ok, err = answer.stream(function() return client:chat(request) end)
  return ok and exits.OK or exits.report(err)
end

local function print_parsed(client, request)
  local value, err = answer.run(function()
    local reply, why = client:chat(request)
    if not reply then return nil, why end
    return reply:parsed()
  end)
  if value == nil then return exits.report(err) end
  output.line(llm.json.encode(value))
  return exits.OK
end

local function ask_once(client, args, text, system)
  local request = { model = args.model, messages = {} }
  if system then table.insert(request.messages, { role = "system", content = system }) end
  table.insert(request.messages, { role = "user", content = text })
  if args.schema then
    local schema, why = schema_of(args.schema)
    if not schema then return exits.usage(why) end
    request.response_format = schema
    return print_parsed(client, request)
  end
  return (args.json and print_whole or print_text)(client, request)
end

-- ---------------------------------------------------------------------------------------------------------
-- A conversation

-- A line at the prompt; nil at its end (Ctrl-D); "" after Ctrl-C, which only leaves the line.
local function read_line()
  io.stdout:write(PROMPT)
  io.stdout:flush()
  local line = io.read("*l")
  if line or not core.take_interrupt() then return line end
  io.stdout:write("\n")
  return ""
end

local function converse(client, args, system)
  local talk = llm.conversation(client, { model = args.model, system = system })
  core.watch_interrupts()
  io.stdout:write("Ctrl-C stops an answer, Ctrl-D ends the conversation.\n")
  local line = read_line()
  while line do
    if line:find("%S") then
      local ok, err, has_written = answer.stream(function() return talk:say(line, { stream = true }) end)
      if not has_written then io.stdout:write("\n") end -- behind the "^C" that a terminal shows
      if not ok and err.kind ~= "cancelled" then exits.report(err) end
    end
    line = read_line()
  end
  io.stdout:write("\n")
  return exits.OK
end

-- Runs the command. Returns the exit status.
return function(args)
  local client, why = connection.client(args)
  if not client then return exits.usage(why) end
  local system, text
  if args.system then
    system, why = connection.text_of(args.system)
    if not system then return exits.usage(why) end
  end
  text, why = connection.text_of(args.text)
  if why then return exits.usage(why) end
  if text then
    core.watch_interrupts()
    return ask_once(client, args, text, system)
  end
  if args.json or args.schema then return exits.usage("--json and --schema want a question") end
  return converse(client, args, system)
end
