-- cli/commands.lua: the commands that ask the gateway one thing: embed, models, health; and serve.

local connection = require("llm_gateway.cli.connection")
local exits = require("llm_gateway.cli.exits")
local llm = require("llm_gateway")
local output = require("llm_gateway.cli.output")

local M = {}

-- Calls fn(client) and prints what show makes of its answer. Returns the exit status.
local function ask(args, fn, show)
  local client, why = connection.client(args)
  if not client then return exits.usage(why) end
  local reply, err = fn(client)
  if not reply then return exits.report(err) end
  show(reply)
  return exits.OK
end

function M.embed(args)
  local text, why = connection.text_of(args.text)
  if not text then return exits.usage(why or "embed wants a text") end
  return ask(args, function(client) return client:embeddings({ model = args.model, input = text }) end,
    function(reply) output.line(llm.json.encode(reply.data[1].embedding)) end)
end

function M.models(args)
  return ask(args, function(client) return client:models() end, function(models)
    for _, model in ipairs(models) do output.line(model.id) end
  end)
end

function M.health(args)
  local status = exits.OK
  ask(args, function(client)
    local reply, err = client:health()
    if not reply then status = exits.report(err) end
    return reply or {}
  end, function(reply)
    if status ~= exits.OK then return end
    output.line(llm.json.encode(reply))
    if llm.info(reply).status >= 400 then status = exits.BY_KIND.server end
  end)
  return status
end

function M.serve(args)
  return require("llm_gateway.devgateway.launch").run(args.arguments) and exits.OK or exits.FAILED
end

return M
