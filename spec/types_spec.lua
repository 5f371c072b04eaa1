-- The types for editors, held against the library both ways: each public name is annotated, and none is invented.
local core = require "llm_gateway.core"
local llm = require "llm_gateway"
local options = require "llm_gateway.options"
local shell = require "spec.shell"
local support = require "spec.support"

local FILE = "lua/llm_gateway/types/llm_gateway.lua"

-- What the file has: by class the set of its functions and fields.
local function annotated()
  local classes, class = {}, nil
  local function add(owner, name)
    classes[owner] = classes[owner] or {}
    classes[owner][name] = true
  end
  for line in shell.read(FILE):gmatch("[^\n]+") do
    class = line:match("^%-%-%-@class llm_gateway%.?(%a*)") or class
    local field = line:match("^%-%-%-@field ([%a_]+)")
    if field then add(class == "" and "llm" or class, field) end
    local owner, name = line:match("^function (%a+)[.:]([%a_]+)%(")
    if owner then add(owner, name) end
  end
  return classes
end

local function public_names(...)
  local names = {}
  for _, t in ipairs({ ... }) do
    for name in pairs(t) do
      if type(name) == "string" and not name:find("^__") then names[name] = true end
    end
  end
  return names
end

describe("the types", function()
  local gateway = support.gateway()
  local classes = annotated()

  local function same(class, found)
    assert.same(found, classes[class])
  end

  it("name what the module has", function()
    same("llm", public_names(llm))
  end)

  it("name the methods of clients, streams, tasks, loops, conversations and replies", function()
    local client = support.client(gateway)
    local stream = assert(client:chat(support.ask("Hi", { stream = true })))
    same("Client", public_names(core.client_methods))
    local of_stream = public_names(getmetatable(stream).__index)
    -- a reply's methods, which raise and say what a stream has instead
    for _, name in ipairs({ "is_stream", "parsed", "raw", "text" }) do of_stream[name] = nil end
    same("Stream", of_stream)
    stream:close()
    same("Task", public_names(getmetatable(llm.spawn(function() end)).__index))
    local loop = public_names(getmetatable(llm.loop()).__index)
    loop.on_busy, loop.on_idle, loop.on_error = true, true, true
    same("Loop", loop)
    local talk = llm.conversation(client, {})
    same("Conversation", public_names(getmetatable(talk).__index, { messages = true }))
    local reply = assert(client:chat(support.ask("Hi")))
    same("Reply", public_names(getmetatable(reply).__index))
    local run = assert(client:run_tools(support.ask("Hi", { tools = {}, stream = true })))
    same("ToolRun", public_names(getmetatable(run).__index))
    run:close()
  end)

  it("name the options, and the fields of errors", function()
    for class, known in pairs({ Options = options.knows, CallOptions = options.knows }) do
      for name in pairs(classes[class]) do
        assert.is_true(known(name) or name == "extra_body", name .. " is no option")
      end
    end
    for name in pairs(options.names and options.names() or {}) do
      assert.is_true(classes.Options[name] or classes.CallOptions[name], name .. " is not annotated")
    end
    local _, err = support.client(gateway):chat({ messages = {} })
    for name in pairs(err) do assert.is_true(classes.Error[name], name .. " is not annotated") end
  end)

  it("are whole Lua, which does nothing", function()
    assert.same({}, (loadfile(FILE)() or {}).json or {})
  end)
end)
