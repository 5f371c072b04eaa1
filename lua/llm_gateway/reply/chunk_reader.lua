-- reply/chunk_reader.lua: what a stream knows of a chat's chunks: fills in what they may lack, joins characters that
-- were split over two of them, finds the errors among them, and tells whether every choice has ended.
-- Leans on json, on reply/content.lua and reply/faults.lua; on halves.lua and tool_calls.lua for chunks that have such.
-- Never waits, never fails. A reader, of this dialect and any other, has these for the stream:
--   read(value, name, halves)  takes an event's decoded data; returns it as it is handed over, and a fault if it is one
--   text                       the text that this event added ("" for none); false: it is at `plain_path` (see below)
--   done                       whether nothing that was begun is missing
--   ended                      whether nothing more is to come
--   partial_text(), reasoning_text()   the beginning of what came so far
-- and perhaps these:
--   is_plain                   whether an event that differs from this one in the text at `plain_path` alone, and in
--                              that of its field `padding`, need not be read: it would add the text, and no more
--   looks                      whether is_plain is still asked for
--   count, seen                how many choices were asked for and, of several, how many have begun
--   is_unsure                  whether something came behind the end of all: `done` means nothing then
--   skipped                    the transfer that keeps the texts of such events, while some were not read

local content = require("llm_gateway.reply.content")
local faults = require("llm_gateway.reply.faults")
local json = require("llm_gateway.json")
local lazy = require("llm_gateway.lazy")
local ropes = require("llm_gateway.reply.rope")

local scalars = lazy("llm_gateway.scalars")
local split = lazy("llm_gateway.reply.halves")
local tool_calls = lazy("llm_gateway.reply.tool_calls")

local MAX_PARTIAL_BYTES = 2 ^ 20 + 8192 -- an error keeps 1 MiB of it, once the secrets in it are hidden

local extend, text_in = ropes.extend, ropes.text_in

local Chat = {}
Chat.__index = Chat
-- what a new one has; thousands may be open, and need room for eight fields of their own
Chat.text, Chat.done, Chat.ended, Chat.is_plain, Chat.looks = "", false, false, false, true
Chat.open, Chat.count, Chat.seen = 0, 1, 0
Chat.plain_path = { "choices", 1, "delta", "content" }
Chat.padding = "obfuscation" -- OpenAI hides the length of a chunk behind it

-- ---------------------------------------------------------------------------------------------------------
-- Choices

-- The choices of a chunk that are tables; any other could not be indexed.
local function readable(choices)
  local list = json.array()
  for _, choice in ipairs(type(choices) == "table" and choices or {}) do
    if type(choice) == "table" then list[#list + 1] = choice end
  end
  return list
end

local function is_readable(choices)
  if type(choices) ~= "table" or choices[1] == nil then return false end
  if choices[2] == nil then return type(choices[1]) == "table" end
  for i = 1, #choices do
    if type(choices[i]) ~= "table" then return false end
  end
  return true
end

-- Whether a delta has anything but a role.
local function brings_something(delta)
  for name, value in next, delta do
    if name ~= "role" and value ~= "" and value ~= false and (type(value) ~= "table" or next(value) ~= nil) then
      return true
    end
  end
  return false
end

local function filled(delta, message)
  for name, value in next, message do
    if delta[name] == nil or delta[name] == "" then delta[name] = value end
  end
  return delta
end

-- The delta of a choice. Some servers write `message` in its place, or beside an empty one; others repeat all in it at
-- the end, when deltas have said it.
local function delta_of(state, choice)
  local delta, message = choice.delta, choice.message
  if type(delta) ~= "table" then
    if state.said or type(message) ~= "table" then return {} end
    choice.message = nil
    return message
  end
  if state.said then return delta end
  if brings_something(delta) then
    state.said = true
  elseif type(message) == "table" and brings_something(message) then
    choice.message = nil
    return filled(delta, message)
  end
  return delta
end

local function new_state(self, index)
  local state = {}
  if self.count > 1 then self.seen = self.seen + 1 end
  if self.index == nil then
    self.index, self.state, self.open = index, state, 1
  else
    self.states = self.states or {}
    self.states[index], self.open = state, self.open + 1
  end
  return state
end

-- What is known of a choice; nil before its first delta. Most streams have one choice, and no table for others.
local function state_at(self, index)
  if index == self.index then return self.state end
  return self.states and self.states[index]
end

local function end_choice(self, state)
  if state.ended then return end
  state.ended, self.open = true, self.open - 1
  self.done = self.open == 0
end

local function read_choice(self, choice, position, halves, is_whole)
  local index = choice.index
  if type(index) ~= "number" or index ~= index then -- NaN is the key of nothing
    index = tonumber(index)
    index = index == index and index or position - 1
    choice.index = index
  end
  local state = state_at(self, index) or new_state(self, index)
  local delta, last = choice.delta, choice.finish_reason ~= nil
  if last and not scalars.says(choice.finish_reason) then -- some write an empty one, or a null in quotes, each time
    choice.finish_reason, last = nil, false
  end
  if not state.said or type(delta) ~= "table" then
    delta = delta_of(state, choice)
    choice.delta = delta
  end
  if type(delta.content) == "number" then delta.content = json.encode(delta.content) or "" end
  if delta.tool_calls or delta.function_call then tool_calls.tidy(delta) end
  if halves or state.halves then split.join(state, choice, last) end
  if state.ended and self.done and brings_something(delta) then self.is_unsure = true end -- its end was none
  if last or is_whole then end_choice(self, state) end
  if self.done and not state.ended then self.done = false end
  return state
end

-- ---------------------------------------------------------------------------------------------------------
-- Plain chunks: nearly all of a stream's

-- A field of these may be an error, the end, or goes on from chunk to chunk.
local CHUNK_TELLS = { error = true, usage = true, x_groq = true, base_resp = true }
local CHOICE_TELLS = { error = true, usage = true, finish_reason = true, text = true, message = true, logprobs = true }

local function has_any(value, names)
  for name in next, value do
    if names[name] then return true end
  end
  return false
end

-- Whether a chunk, as it came, has a piece of its only choice's text and nothing else that counts.
local function brings_text_alone(chunk)
  local choices = chunk.choices
  local choice = type(choices) == "table" and choices[1]
  if type(choice) ~= "table" or choices[2] ~= nil or chunk.object == "chat.completion" then return false end
  local delta = choice.delta
  if type(choice.index) ~= "number" or type(delta) ~= "table" or type(delta.content) ~= "string" then return false end
  for name, value in next, delta do
    if name ~= "content" and name ~= "role" and value ~= "" then return false end
  end
  return not has_any(choice, CHOICE_TELLS) and not has_any(chunk, CHUNK_TELLS)
end

-- Whether its choice is the one whose text is the stream's, is under way, and waits for no half of a character.
local function is_under_way(self, state, index)
  return index == self.main and state.said and not state.ended and state.halves == nil
end

-- Adds the texts of the chunks that were not read.
local function catch_up(self)
  local text = self.skipped:pieces()
  if text then extend(self, "partial", text, MAX_PARTIAL_BYTES) end
end

-- ---------------------------------------------------------------------------------------------------------
-- Texts

-- The choice whose text is the stream's: the first; some servers count from 1. Of several, any may come first.
local function lowest(choices, count)
  local index = choices[1].index
  if count > 1 and index > 0 and index < count then return 0 end
  for i = 2, #choices do index = math.min(index, choices[i].index) end
  return index
end

local function keep_texts(self, delta)
  local text = delta.content
  if type(text) ~= "string" then text = text and content.text(text) or "" end
  if text ~= "" then extend(self, "partial", text, MAX_PARTIAL_BYTES) end
  local thought = delta.reasoning_content or delta.reasoning
  if thought and thought ~= "" and type(thought) == "string" then
    extend(self, "reasoning", thought, MAX_PARTIAL_BYTES)
  end
  self.text = text
end

-- Takes a chunk as the server sent it; returns it with `choices`, and each choice with `index` and `delta`; and a fault
-- (see faults.lua) when it is an error. halves: whether a text in it may hold half a character.
function Chat:read(chunk, _, halves)
  if self.skipped then catch_up(self) end
  local is_plain = not halves and self.looks and brings_text_alone(chunk)
  local fault = not is_plain and faults.of_chat(chunk) or nil -- what brings text alone is none, and can be read
  local choices = chunk.choices
  self.text, self.is_plain = "", false
  if fault and type(choices) ~= "table" then return chunk, fault end
  if not is_plain and not is_readable(choices) then
    choices = readable(choices)
    chunk.choices = choices
  end
  local is_whole, count = chunk.object == "chat.completion", #choices
  local state
  for i = 1, count do state = read_choice(self, choices[i], i, halves, is_whole) end
  if halves then json.mend_all(chunk) end
  if count > 0 then self.main = self.main or lowest(choices, self.count) end
  for i = 1, count do
    if choices[i].index == self.main then
      keep_texts(self, choices[i].delta)
      break
    end
  end
  self.is_plain = is_plain and is_under_way(self, state, choices[1].index)
  return chunk, fault
end

-- The beginning of the text, somewhat more than an error keeps.
function Chat:partial_text()
  if self.skipped then catch_up(self) end
  return text_in(self, "partial")
end

-- The beginning of the reasoning.
function Chat:reasoning_text()
  return text_in(self, "reasoning")
end

local function new()
  return setmetatable({}, Chat)
end

return { new = new, MAX_PARTIAL_BYTES = MAX_PARTIAL_BYTES }
