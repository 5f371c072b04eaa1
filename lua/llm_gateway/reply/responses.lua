-- reply/responses.lua: the dialect of Responses: its events, and the object they make.
-- Leans on json, reply/content.lua, reply/faults.lua, reply/rope.lua and reply/typed.lua. dialects.lua says what a
-- dialect is. The last event brings the whole object, as a rule: what it leaves out is taken from what was streamed.

local content = require("llm_gateway.reply.content")
local faults = require("llm_gateway.reply.faults")
local json = require("llm_gateway.json")
local ropes = require("llm_gateway.reply.rope")
local tool_calls = require("llm_gateway.reply.tool_calls")
local typed = require("llm_gateway.reply.typed")

local M = { wanted = "a response", strict = true, typed = true }

local function table_of(value) return type(value) == "table" and value or {} end

local function place_of(event)
  return tostring(event.output_index) .. "/" .. tostring(event.content_index or event.summary_index)
end

local function failed(response)
  if type(response.error) == "table" or type(response.error) == "string" then return response end
  return { error = { message = "the response failed", code = "response_failed" } }
end

-- ---------------------------------------------------------------------------------------------------------
-- Reading

local STEPS = {}

STEPS["response.output_text.delta"] = function(reader, event)
  local place = place_of(event)
  event.delta = reader:add_text(place, event.delta)
  reader.streamed = reader.streamed or {}
  reader.streamed[place] = true
end

-- The whole text of a part: news only where no delta brought it.
STEPS["response.output_text.done"] = function(reader, event)
  local place = place_of(event)
  reader.streamed = reader.streamed or {}
  if not reader.streamed[place] then event.text = reader:add_text(place, event.text) end
  reader.streamed[place] = true
end

local function add_reasoning(reader, event) event.delta = reader:add_reasoning("r" .. place_of(event), event.delta) end

STEPS["response.reasoning_text.delta"] = add_reasoning
STEPS["response.reasoning_summary_text.delta"] = add_reasoning
STEPS["response.reasoning_summary.delta"] = add_reasoning

STEPS["response.function_call_arguments.delta"] = function(reader, event)
  if type(event.delta) == "string" then event.delta = reader:join("f" .. place_of(event), event.delta) end
end

local function finish(reader, event)
  local response = table_of(event.response)
  if response.status == "failed" or faults.of_other(response, { "output", "id" }) then return failed(response) end
  if not reader.streamed then reader:add_text("whole", content.output_text(response.output)) end
  reader:finish()
end

STEPS["response.completed"] = finish
STEPS["response.incomplete"] = finish
STEPS["response.failed"] = function(_, event) return failed(table_of(event.response)) end
STEPS.error = function(_, event) return event end

function M.reader() return typed.reader(STEPS) end

-- ---------------------------------------------------------------------------------------------------------
-- Collecting

local Collector = {}
Collector.__index = Collector

local function is_empty(value)
  return value == nil or value == "" or (type(value) == "table" and next(value) == nil)
end

local function put_all(into, fields)
  for name, value in next, table_of(fields) do
    if into[name] == nil or not is_empty(value) then into[name] = value end
  end
end

local function item_at(self, event)
  local index = tool_calls.is_place(event.output_index) and event.output_index or self.ids[event.item_id or false]
    or self.last or 0
  if not self.items[index] then
    self.items[index] = {}
    table.insert(self.order, index)
  end
  if event.item_id then self.ids[event.item_id] = index end
  self.last = index
  return self.items[index]
end

-- A part of an item: of its list `field`, at this index (from 0).
local function part_at(item, field, index, kind)
  if type(item[field]) ~= "table" then item[field] = json.array() end
  local list, place = item[field], (type(index) == "number" and index or 0) + 1
  if type(list[place]) == "table" then return list[place] end
  list[#list + 1] = { type = kind }
  return list[#list]
end

local function append(into, name, piece)
  if type(piece) ~= "string" or piece == "" then return end
  if not ropes.is(into[name]) then
    local rope, before = ropes.new(), into[name]
    if type(before) == "string" and before ~= "" then rope:add(before) end
    into[name] = rope
  end
  into[name]:add(piece)
end

-- What a kind of event is about: {list of the item, field of its index, the part's type, the text's name}, or the
-- name of a text of the item itself.
local TEXTS = {
  ["response.output_text"] = { "content", "content_index", "output_text", "text" },
  ["response.refusal"] = { "content", "content_index", "refusal", "refusal" },
  ["response.reasoning_text"] = { "content", "content_index", "reasoning_text", "text" },
  ["response.reasoning_summary_text"] = { "summary", "summary_index", "summary_text", "text" },
  ["response.reasoning_summary"] = { "summary", "summary_index", "summary_text", "text" },
  ["response.function_call_arguments"] = "arguments",
  ["response.mcp_call_arguments"] = "arguments",
  ["response.custom_tool_call_input"] = "input",
  ["response.code_interpreter_call_code"] = "code",
}

local ITEM_TYPES = { arguments = "function_call", input = "custom_tool_call", code = "code_interpreter_call" }

-- The table and the name of the text that an event of `prefix` is about.
local function text_place(self, event, about)
  local item = item_at(self, event)
  if type(about) == "string" then
    item.type = item.type or ITEM_TYPES[about]
    return item, about
  end
  item.type = item.type or (about[3]:find("^reasoning") or about[1] == "summary") and "reasoning" or "message"
  return part_at(item, about[1], event[about[2]], about[3]), about[4]
end

local function add_text(self, event, prefix, is_whole)
  local place, name = text_place(self, event, TEXTS[prefix])
  if not is_whole then return append(place, name, event.delta) end
  if not is_empty(event[name]) then place[name] = event[name] end
end

local function add_response(self, event)
  local response = table_of(event.response)
  if type(response.output) == "table" and response.output[1] ~= nil then self.final = response.output end
  put_all(self.whole, response)
end

local ADD = {}

for _, name in ipairs({ "created", "in_progress", "queued", "completed", "incomplete" }) do
  ADD["response." .. name] = add_response
end

local function join_texts(t)
  for name, value in next, t do
    if ropes.is(value) then t[name] = value:text() elseif type(value) == "table" then join_texts(value) end
  end
  return t
end

-- What `whole` leaves out is taken from what came before it.
local function fill(whole, before)
  for name, old in next, before do
    local value = whole[name]
    if is_empty(value) then
      whole[name] = old
    elseif type(value) == "table" and type(old) == "table" then
      fill(value, old)
    elseif type(value) == "string" and type(old) == "string" and #old > #value and old:sub(1, #value) == value then
      whole[name] = old
    end
  end
  return whole
end

ADD["response.output_item.added"] = function(self, event) put_all(item_at(self, event), event.item) end

ADD["response.output_item.done"] = function(self, event)
  local item = item_at(self, event)
  if not self.finished[item] then fill(table_of(event.item), join_texts(item)) end
  self.finished[item] = true
  put_all(item, event.item)
end

local function add_part(field, index)
  return function(self, event)
    local part = part_at(item_at(self, event), field, event[index], nil)
    for name, value in next, table_of(event.part) do
      if part[name] == nil or (not is_empty(value) and not ropes.is(part[name])) then part[name] = value end
    end
  end
end

ADD["response.content_part.added"] = add_part("content", "content_index")
ADD["response.reasoning_summary_part.added"] = add_part("summary", "summary_index")

function Collector:add(event, name)
  local kind = typed.kind(event, name)
  if type(kind) ~= "string" then return end
  local prefix, verb = kind:match("^(.*)%.(%l+)$")
  if TEXTS[prefix or ""] and (verb == "delta" or verb == "done") then
    add_text(self, event, prefix, verb == "done")
  elseif ADD[kind] then
    ADD[kind](self, event)
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- The end

local function is_same(a, b)
  for _, name in ipairs({ "id", "call_id" }) do
    if type(a[name]) == "string" and type(b[name]) == "string" then return a[name] == b[name] end
  end
  return a.type == b.type
end

-- The first item of the final list, from `from` on, that a streamed one is; nil when it was left out.
local function find_final(final, streamed, from)
  for i = from, #final do
    if type(final[i]) == "table" and is_same(final[i], streamed) then return i end
  end
end

local function merged_output(final, streamed)
  local output, at = json.array(), 1
  for _, item in ipairs(streamed) do
    local found = find_final(final, item, at)
    for i = at, (found or at) - 1 do table.insert(output, final[i]) end
    table.insert(output, found and fill(final[found], item) or item)
    at = found and found + 1 or at
  end
  for i = at, #final do table.insert(output, final[i]) end
  return output
end

function Collector:value()
  local streamed = {}
  table.sort(self.order)
  for i, index in ipairs(self.order) do streamed[i] = join_texts(self.items[index]) end
  if streamed[1] then self.whole.output = merged_output(self.final or {}, streamed) end
  if self.whole.output == nil then self.whole.output = json.array() end
  return self.whole
end

function M.collector()
  return setmetatable({ whole = {}, items = {}, order = {}, ids = {}, finished = {} }, Collector)
end

-- ---------------------------------------------------------------------------------------------------------
-- Whole answers

function M.fault(value)
  if value.status == "failed" then return failed(value) end
  return faults.of_other(value, { "output" })
end

function M.is_whole(value) return type(value.output) == "table" end

function M.events_of(value)
  local kind = value.status == "incomplete" and "response.incomplete" or "response.completed"
  return { { { type = kind, response = value }, kind } }
end

function M.tidy(value) return value end

return M
