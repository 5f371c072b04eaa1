-- devgateway/completion.lua: a chat completion: its choices, usage and shape, whole or as the chunks of a stream.
-- Leans on brain, tools, words and json. Never writes to a connection.

local brain = require("llm_gateway.devgateway.brain")
local json = require("llm_gateway.devgateway.json")
local tools = require("llm_gateway.devgateway.tools")
local words = require("llm_gateway.devgateway.words")

local ARGUMENT_PIECE = 6

local Completion = {}
Completion.__index = Completion

local function stop_list(stop)
  if type(stop) == "string" then return { stop } end
  return type(stop) == "table" and stop or {}
end

local function cut_at_stop(text, stop)
  local first
  for _, sequence in ipairs(stop_list(stop)) do
    local at = sequence ~= "" and text:find(sequence, 1, true)
    if at and (not first or at < first) then first = at end
  end
  return first and text:sub(1, first - 1) or text
end

local function cut_at_limit(pieces, limit)
  if not limit or #pieces <= limit then return pieces, "stop" end
  local kept = {}
  for index = 1, limit do kept[index] = pieces[index] end
  return kept, "length"
end

local function in_format(format, answer, request)
  local kind = type(format) == "table" and format.type
  if kind == "json_object" then return json.encode({ answer = answer }) end
  if kind ~= "json_schema" then return answer end
  local schema = (format.json_schema or {}).schema or {}
  return json.encode(tools.fill(schema, words.last(request.messages, "user") or ""))
end

local function text_choice(request, answer, index)
  local text = index == 0 and answer or "Put differently: " .. answer
  local limit = request.max_completion_tokens or request.max_tokens
  local pieces, reason = cut_at_limit(words.split(cut_at_stop(text, request.stop)), limit)
  return { index = index, pieces = pieces, finish_reason = reason, tokens = #pieces }
end

local function call_choice(calls, index)
  local tokens = 0
  for _, call in ipairs(calls) do tokens = tokens + 1 + words.count(call["function"].arguments) end
  return { index = index, calls = calls, finish_reason = "tool_calls", tokens = tokens }
end

local function make_choices(request, new_id)
  local answer = tools.answer(request.messages) or brain.answer(request.messages, request.model)
  answer = in_format(request.response_format, answer, request)
  local choices = {}
  for index = 0, (request.n or 1) - 1 do
    local calls = tools.calls(request, new_id)
    choices[index + 1] = calls and call_choice(calls, index) or text_choice(request, answer, index)
  end
  return choices
end

local function whole_message(choice)
  if choice.calls then return { role = "assistant", content = json.null, tool_calls = choice.calls } end
  return { role = "assistant", content = table.concat(choice.pieces) }
end

-- Short runs of bytes; a UTF-8 character is never split.
local function argument_pieces(text)
  local pieces, piece = {}, ""
  for character in text:gmatch("[^\128-\191][\128-\191]*") do
    piece = piece .. character
    if #piece >= ARGUMENT_PIECE then
      pieces[#pieces + 1] = piece
      piece = ""
    end
  end
  if piece ~= "" then pieces[#pieces + 1] = piece end
  return pieces
end

local function call_deltas(choice)
  local deltas = {}
  for position, call in ipairs(choice.calls) do
    local first = { index = position - 1, id = call.id, type = "function",
      ["function"] = { name = call["function"].name, arguments = "" } }
    deltas[#deltas + 1] = { tool_calls = json.array({ first }) }
    for _, piece in ipairs(argument_pieces(call["function"].arguments)) do
      local rest = { index = position - 1, ["function"] = { arguments = piece } }
      deltas[#deltas + 1] = { tool_calls = json.array({ rest }) }
    end
  end
  return deltas
end

local function text_deltas(choice)
  local deltas = {}
  for index, piece in ipairs(choice.pieces) do deltas[index] = { content = piece } end
  return deltas
end

function Completion:chunk(choice, delta, finish_reason)
  return { id = self.id, object = "chat.completion.chunk", created = self.created, model = self.model,
    choices = { { index = choice.index, delta = delta, finish_reason = finish_reason or json.null } } }
end

-- The whole reply, without the gateway's own fields.
function Completion:reply()
  local choices = {}
  for index, choice in ipairs(self.choices) do
    choices[index] = { index = choice.index, message = whole_message(choice),
      finish_reason = choice.finish_reason }
  end
  return { id = self.id, object = "chat.completion", created = self.created, model = self.model,
    choices = choices, usage = self.usage }
end

-- An iterator over the stream's chunks: chunk, number of tokens in it (0 or 1).
-- The role comes first, then words or tool calls of all choices in turn, then the reasons of their end.
function Completion:chunks()
  return coroutine.wrap(function()
    local lists, longest = {}, 0
    for index, choice in ipairs(self.choices) do
      lists[index] = choice.calls and call_deltas(choice) or text_deltas(choice)
      longest = math.max(longest, #lists[index])
      local delta = { role = "assistant", content = choice.calls and json.null or "" }
      coroutine.yield(self:chunk(choice, delta), 0)
    end
    for position = 1, longest do
      for index, choice in ipairs(self.choices) do
        local delta = lists[index][position]
        if delta then coroutine.yield(self:chunk(choice, delta), 1) end
      end
    end
    for _, choice in ipairs(self.choices) do
      coroutine.yield(self:chunk(choice, {}, choice.finish_reason), 0)
    end
  end)
end

-- The chunk that carries usage and no choices.
function Completion:usage_chunk()
  return { id = self.id, object = "chat.completion.chunk", created = self.created, model = self.model,
    choices = json.array({}), usage = self.usage }
end

local M = {}

-- Answers a checked request body. new_id returns a fresh id's text at every call.
function M.new(request, new_id)
  local choices = make_choices(request, new_id)
  local prompt, produced = words.count(words.of_messages(request.messages)), 0
  for _, choice in ipairs(choices) do produced = produced + choice.tokens end
  return setmetatable({
    id = "chatcmpl-" .. new_id(), created = os.time(), model = request.model, choices = choices,
    usage = { prompt_tokens = prompt, completion_tokens = produced, total_tokens = prompt + produced },
  }, Completion)
end

return M
