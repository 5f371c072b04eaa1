-- helpers/tools.lua: the tools that a program offers to a model: what is sent of them, and one call of one.
-- Leans on json_schema_faults.lua for `parameters`, on schema.lua for the other checks. It knows no dialect and
-- sends nothing. What goes wrong in a tool is the model's to hear: it becomes the text of that call's result.

local checks = require("llm_gateway.schema")
local errors = require("llm_gateway.errors")
local json = require("llm_gateway.json")
local scalars = require("llm_gateway.scalars")
local schemas = require("llm_gateway.helpers.json_schema_faults")

local M = {}

local NO_CAUSE = "<no error object>" -- what Lua 5.5 makes of error(nil)

local shown = checks.shown

-- ---------------------------------------------------------------------------------------------------------
-- What a program gives

local FIELDS = { name = true, description = true, parameters = true, strict = true, call = true }

local function unknown_field(tool, path)
  for name in pairs(tool) do
    if not FIELDS[name] then
      return "is no field of a tool (these are: name, description, parameters, strict, call)", checks.join(path, name)
    end
  end
end

-- {type = "function", ["function"] = {...}, call = fn}, as chat takes it, is read as well.
local function flattened(tool)
  local described = tool["function"]
  if type(described) ~= "table" then return tool end
  local flat = { call = tool.call }
  for name, value in pairs(described) do flat[name] = value end
  return flat
end

-- A tool that the provider runs itself, such as {type = "web_search"}.
local function is_foreign(tool)
  return tool.type ~= nil and tool["function"] == nil and tool.call == nil
end

local function field_fault(tool, path)
  local message, where = unknown_field(tool, path)
  if message then return message, where end
  message = checks.full_text(tool.name)
  if message then return message, path .. ".name" end
  message = tool.description ~= nil and checks.text(tool.description)
  if message then return message, path .. ".description" end
  message = checks.callback(tool.call)
  if message then return message, path .. ".call" end
  message = tool.strict ~= nil and checks.boolean(tool.strict)
  if message then return message, path .. ".strict" end
end

local function add(set, given, path)
  if type(given) ~= "table" then
    return "expected a table {name, description, parameters, call}, got " .. shown(given), path
  end
  if is_foreign(given) then
    table.insert(set.list, { foreign = given })
    return nil
  end
  local tool = flattened(given)
  local message, where = field_fault(tool, path)
  if message then return message, where end
  if set.by_name[tool.name] then return ("is the second tool called %q"):format(tool.name), path .. ".name" end
  local parameters = tool.parameters or { type = "object", properties = {} }
  local schema
  schema, message, where = schemas.compile(parameters, path .. ".parameters")
  if not schema then return message, where end
  local read = {
    name = tool.name, description = tool.description, parameters = parameters, strict = tool.strict,
    call = tool.call, schema = schema,
  }
  set.by_name[tool.name] = read
  table.insert(set.names, tool.name)
  table.insert(set.list, read)
end

-- Reads the list of tools at `path`: {name, description, parameters (a JSON Schema), call}, or what a provider runs
-- itself. Returns {list, by_name, names}; or nil, a message and the path of what is wrong.
function M.read(list, path)
  if type(list) ~= "table" then return nil, "expected a list of tools, got " .. shown(list), path end
  if #list == 0 and next(list) ~= nil then return nil, "expected a list: {{ name = ..., call = ... }}", path end
  local set = { list = {}, by_name = {}, names = {} }
  for i, tool in ipairs(list) do
    local message, where = add(set, tool, ("%s[%d]"):format(path, i))
    if message then return nil, message, where end
  end
  return set
end

-- ---------------------------------------------------------------------------------------------------------
-- One call

local function failed(message)
  return { failed = true, content = json.encode({ error = message }) or '{"error":"the tool failed"}' }
end

-- What a tool returned, as the text that the model is to read.
local function result_of(value, why)
  if value == nil and why ~= nil then return failed(tostring(why)) end
  if type(value) == "string" and json.encode(value) then return { failed = false, content = value } end
  local text, message, path = json.encode(value)
  if text then return { failed = false, content = text } end
  return failed(("the tool returned what cannot be sent: %s%s"):format(path ~= "" and path .. ": " or "", message))
end

-- Some models send no text at all, or null, where a tool takes nothing.
local function arguments_of(call)
  local given = call["function"].arguments
  if type(given) == "table" then return given end
  if scalars.text(given) == nil then return {} end
  local value, why = json.decode(given)
  if value == nil then return nil, "the arguments are no JSON: " .. tostring(why) end
  if not json.is_object(value) then
    return nil, "the arguments are no JSON object"
  end
  return value
end

local function fitting(tool, call)
  local arguments, why = arguments_of(call)
  if not arguments then return nil, why end
  local message, where = tool.schema:check(arguments)
  if not message then return arguments end
  return nil, "the arguments do not fit the tool's parameters: " .. (where ~= "" and where .. ": " or "") .. message
end

-- Runs one call that a model made: {id, name, ["function"] = {name, arguments (text)}}, which gets its decoded
-- `arguments`. `approve`, if given, is asked first. Returns the result {content (text), failed}. What the tool or
-- `approve` raises is raised; with `call.is_asking` set it was `approve`.
function M.run(set, call, approve)
  local tool = set.by_name[call.name]
  if not tool then
    local names = table.concat(set.names, ", ")
    return failed(("there is no tool called %s (these are: %s)"):format(shown(call.name), names))
  end
  local arguments, why = fitting(tool, call)
  if not arguments then return failed(why) end
  call.arguments = arguments
  if approve then
    call.is_asking = true
    local yes, reason = approve(call)
    call.is_asking = nil
    if not yes then return failed("the call was denied" .. (reason ~= nil and ": " .. tostring(reason) or "")) end
  end
  return result_of(tool.call(arguments, call))
end

-- What a tool raised, for the model to read: a plain table says more than its address.
local function raised(err)
  local cause = err.cause
  if cause == nil or cause == NO_CAUSE then return "the tool failed, and did not say why" end
  if type(cause) == "table" and not getmetatable(cause) and json.encode(cause) then return cause end
  return err.message
end

-- The result of a call that did not come to its end, of what it raised or what stopped it.
function M.failure(err)
  if errors.is(err) and err.kind == "task" then return failed(raised(err)) end
  return failed(tostring(err))
end

return M
