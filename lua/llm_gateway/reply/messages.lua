-- reply/messages.lua: the dialect of Anthropic's Messages: its events, and the message they make.
-- Leans on json, reply/assemble.lua for usage, reply/rope.lua and reply/typed.lua. dialects.lua says what a dialect is.

local assemble = require("llm_gateway.reply.assemble")
local content = require("llm_gateway.reply.content")
local faults = require("llm_gateway.reply.faults")
local json = require("llm_gateway.json")
local ropes = require("llm_gateway.reply.rope")
local tool_calls = require("llm_gateway.reply.tool_calls")
local typed = require("llm_gateway.reply.typed")

local M = {
  wanted = "a message", strict = true, typed = true, headers = { ["anthropic-version"] = "2023-06-01" },
}

local function table_of(value) return type(value) == "table" and value or {} end

-- ---------------------------------------------------------------------------------------------------------
-- Reading

local STEPS = {}

function STEPS.message_start(reader, event)
  local text = content.text(table_of(event.message).content)
  if text ~= "" then reader:add_text("start", text) end
end

function STEPS.content_block_start(reader, event)
  local block = table_of(event.content_block)
  if block.type == "text" and block.text ~= "" then block.text = reader:add_text(event.index, block.text) end
end

function STEPS.content_block_delta(reader, event)
  local delta = table_of(event.delta)
  if delta.type == "text_delta" then
    delta.text = reader:add_text(event.index, delta.text)
  elseif delta.type == "thinking_delta" then
    delta.thinking = reader:add_reasoning(event.index, delta.thinking)
  elseif type(delta.partial_json) == "string" then
    delta.partial_json = reader:join(event.index, delta.partial_json)
  end
end

function STEPS.message_stop(reader) reader:finish() end
function STEPS.error(_, event) return event end

function M.reader() return typed.reader(STEPS) end

-- ---------------------------------------------------------------------------------------------------------
-- Collecting

local Collector = {}
Collector.__index = Collector

local function put_all(into, fields)
  for name, value in next, table_of(fields) do
    if name == "usage" then
      into.usage = table_of(into.usage)
      assemble.add_usage(into.usage, table_of(value))
    elseif into[name] == nil or value ~= "" then
      into[name] = value
    end
  end
end

local function block_at(self, index)
  index = tool_calls.is_place(index) and index or #self.order
  if not self.blocks[index] then
    self.blocks[index] = {}
    table.insert(self.order, index)
  end
  return self.blocks[index]
end

local ADD = {}

function ADD.message_start(self, event)
  put_all(self.whole, event.message)
  for position, block in ipairs(table_of(self.whole.content)) do
    put_all(block_at(self, position - 1), block)
  end
end

function ADD.content_block_start(self, event) put_all(block_at(self, event.index), event.content_block) end

-- Each kind of delta has the text that it adds in a field of the block's own name, but these.
function ADD.content_block_delta(self, event)
  local block, delta = block_at(self, event.index), table_of(event.delta)
  for name, value in next, delta do
    if name == "citation" then
      block.citations = table_of(block.citations)
      table.insert(block.citations, value)
    elseif name == "partial_json" or name ~= "type" then
      ropes.append(block, name, value)
    end
  end
end

function ADD.message_delta(self, event)
  put_all(self.whole, event.delta)
  put_all(self.whole, { usage = event.usage })
end

function Collector:add(event, name)
  local add = ADD[typed.kind(event, name)]
  if add then add(self, event) end
end

-- Arguments that are no JSON (the model was cut off) stay the text they are.
local function finished(block)
  ropes.join(block)
  local arguments = block.partial_json
  block.partial_json = nil
  if arguments then
    local value = json.decode(arguments)
    block.input = type(value) == "table" and value or arguments
  end
  if block.type == nil then block.type = block.thinking and "thinking" or block.input and "tool_use" or "text" end
  return block
end

function Collector:value()
  local whole = self.whole
  table.sort(self.order)
  if self.order[1] or type(whole.content) ~= "table" then whole.content = json.array() end
  for i, index in ipairs(self.order) do whole.content[i] = finished(self.blocks[index]) end
  return whole
end

function M.collector()
  return setmetatable({ whole = {}, blocks = {}, order = {} }, Collector)
end

-- ---------------------------------------------------------------------------------------------------------
-- Whole answers

-- What in a whole answer tells that it is an error; nil of any other.
function M.fault(value) return faults.of_other(value, { "content" }) end

function M.is_whole(value) return type(value.content) == "table" end

-- The events that a whole answer stands for.
function M.events_of(value)
  local first, last = { type = "message_start", message = value }, { type = "message_stop" }
  return { { first, first.type }, { last, last.type } }
end

function M.tidy(value) return value end

return M
