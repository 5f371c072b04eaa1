-- reply/responses_collector.lua: makes a Responses object of its events: add(event, name), value().
-- Leans on json, reply/content.lua, reply/rope.lua, reply/tool_calls.lua and reply/typed.lua. The last event brings the
-- whole object, as a rule: what it leaves out is taken from what was streamed.

local content = require("llm_gateway.reply.content")
local json = require("llm_gateway.json")
local ropes = require("llm_gateway.reply.rope")
local tool_calls = require("llm_gateway.reply.tool_calls")
local typed = require("llm_gateway.reply.typed")

local is_empty = content.is_empty

local function table_of(value) return type(value) == "table" and value or {} end

local Collector = {}
Collector.__index = Collector

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
  if not is_whole then return ropes.append(place, name, event.delta) end
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
  if not self.finished[item] then fill(table_of(event.item), ropes.join(item)) end
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
  for i, index in ipairs(self.order) do streamed[i] = ropes.join(self.items[index]) end
  if streamed[1] then self.whole.output = merged_output(self.final or {}, streamed) end
  if self.whole.output == nil then self.whole.output = json.array() end
  return self.whole
end

-- A new one.
local function new()
  return setmetatable({ whole = {}, items = {}, order = {}, ids = {}, finished = {} }, Collector)
end

return { new = new }
