-- helpers/tool_run.lua: the machine of run_tools: it asks a model, runs the tools it calls, and tells it the results.
-- Leans on the client's chat, on tool_dialects.lua for what a reply says, on tool_round.lua for the calls.
-- One machine serves both ways of asking: streaming hands its events over, not streaming waits for the last.
-- It never runs a tool of a reply that did not come whole, and never changes the caller's tables.

local core = require("llm_gateway.core")
local coroutines = require("llm_gateway.loop.coroutines")
local errors = require("llm_gateway.errors")
local loop_state = require("llm_gateway.loop.state")
local reading = require("llm_gateway.reply.reading")
local replies = require("llm_gateway.reply")
local rounds = require("llm_gateway.helpers.tool_round")
local wanted = require("llm_gateway.reply.wanted")

local TOO_LATE = "the call was stopped: the time for all of it is over"

local Run = {}
Run.__index = Run

-- ---------------------------------------------------------------------------------------------------------
-- Ends

local function finish(self, err)
  self.over, self.err = true, err
  if err and self.usage and err.usage == nil then err.usage = self.usage end
end

local function seconds_left(self)
  return self.deadline and self.deadline - core.now()
end

local function too_late(self)
  return errors.new({
    kind = "timeout", retryable = false,
    message = ("run_tools took longer than its timeout of %g seconds"):format(self.timeout),
  })
end

local function too_many_rounds(self)
  return errors.new({
    kind = "validation", code = "max_rounds",
    message = ("the model still calls tools after %d rounds (max_rounds)"):format(self.round),
  })
end

-- A tool, or another task, has done that.
local function closed()
  return errors.new({ kind = "cancelled", message = "the client was closed between two rounds of run_tools" })
end

-- A call in a reply that was cut may be half of what the model meant.
local function cut_short(reason)
  return errors.new({
    kind = "validation", code = reason,
    message = ("the reply was cut (finish_reason %s): its tools were not run"):format(reason),
  })
end

-- ---------------------------------------------------------------------------------------------------------
-- Replies

local function add_numbers(sum, more)
  for name, value in pairs(more) do
    if type(value) == "number" then
      sum[name] = (type(sum[name]) == "number" and sum[name] or 0) + value
    elseif type(value) == "table" then
      sum[name] = add_numbers(type(sum[name]) == "table" and sum[name] or {}, value)
    end
  end
  return sum
end

local function start_round(self, calls)
  self.calls = calls
  if self.streaming then
    for _, call in ipairs(calls) do
      table.insert(self.queue, {
        type = "tool_call", id = call.id, name = call.name, arguments = call["function"].arguments, call = call,
      })
    end
  end
  self.stage = "launch"
end

-- A reply is whole: it is the last one, or its tools are to run.
local function take_reply(self, reply)
  if type(reply.usage) == "table" then self.usage = add_numbers(self.usage or {}, reply.usage) end
  local said = self.dialect.read(reply, self.round)
  if said.calls[1] and said.cut then return finish(self, cut_short(said.cut)) end
  for _, message in ipairs(said.messages) do table.insert(self.messages, message) end
  if said.calls[1] then return start_round(self, said.calls) end
  local info = replies.info(reply)
  if info then info.usage = self.usage end
  self.reply = reply
  table.insert(self.queue, { type = "done", reply = reply, messages = self.messages, usage = self.usage })
  finish(self)
end

-- ---------------------------------------------------------------------------------------------------------
-- Stages: each does one thing, which may wait, and says with self.stage what comes next.

local stages = {}

-- A call's own error says which clock it was; of all of it this one was.
local function failed(self, err)
  local left = seconds_left(self)
  finish(self, left and left <= 0 and err.kind == "timeout" and too_late(self) or err)
end

local function request_of(self, left)
  local request = {}
  for name, value in pairs(self.request) do request[name] = value end
  request[self.dialect.list], request.stream = self.messages, self.streaming
  if self.offered[1] then request.tools = self.offered end
  if left and not (request.total_timeout and request.total_timeout < left) then request.total_timeout = left end
  return request
end

function stages.ask(self)
  if self.round >= self.max_rounds then return finish(self, too_many_rounds(self)) end
  local left = seconds_left(self)
  if left and left <= 0 then return finish(self, too_late(self)) end
  if loop_state.is_closed(self.client_loop, self.client) then return finish(self, closed()) end
  self.round = self.round + 1
  local answer, err = self.client[self.dialect.verb](self.client, request_of(self, left))
  if self.over then -- it was closed meanwhile
    if answer and self.streaming then answer:close() end
    return
  end
  if not answer then return failed(self, err) end
  if not self.streaming then return take_reply(self, answer) end
  self.stream, self.whole, self.stage = answer, answer.dialect.collector(), "read"
end

function stages.read(self)
  local chunk, second = self.stream:next()
  if self.over then return end
  if not chunk then
    if second then return failed(self, second) end
    local reply = wanted.expect_same(self.stream, replies.new(self.whole:value(), self.stream:info()))
    self.stream, self.whole = nil, nil
    return take_reply(self, reply)
  end
  local text = reading.text_of(self.stream, chunk)
  self.whole:add(chunk, second)
  if text ~= "" then table.insert(self.queue, { type = "text", text = text }) end
end

function stages.launch(self)
  local left = seconds_left(self)
  self.running = rounds.new(self.client_loop, self.set, self.calls, self.approve, left and math.max(left, 0), TOO_LATE)
  self.stage = "wait"
end

local function end_round(self)
  local fatal = self.running.fatal
  self.running = nil
  for _, message in ipairs(self.dialect.results(self.calls)) do table.insert(self.messages, message) end
  self.stage = "ask"
  if fatal then return finish(self, fatal) end
  local left = seconds_left(self)
  if left and left <= 0 then finish(self, too_late(self)) end
end

function stages.wait(self)
  local call = self.running:next()
  if self.over then return end
  if not call then return end_round(self) end
  if not self.streaming then return end
  table.insert(self.queue, {
    type = "tool_result", id = call.id, name = call.name, call = call,
    content = call.result.content, failed = call.result.failed,
  })
end

-- ---------------------------------------------------------------------------------------------------------
-- What a user holds

local function check_run(self, name)
  if getmetatable(self) == Run then return end
  error(("%s: expected what run_tools returned, got %s (is it run:%s()?)"):format(name, type(self), name), 3)
end

-- The next event: {type = "text", text}, {type = "tool_call", id, name, arguments (text), call}, {type = "tool_result",
-- id, name, content (text), failed, call}, and last {type = "done", reply, messages, usage}. nil at the end; nil, err,
-- messages when it failed, each time again. In a task the others go on meanwhile.
function Run:next()
  check_run(self, "next")
  while not self.queue[1] and not self.over do stages[self.stage](self) end
  local event = table.remove(self.queue, 1)
  if event then return event end
  return nil, self.err, self.err and self.messages or nil
end

-- What `for` calls: the next event; raises the error that ended it.
function Run:__call()
  if not coroutines.for_can_yield and coroutines.current() then
    error("for: this Lua cannot wait inside `for` in a task: use run:next()", 2)
  end
  local event, err = self:next()
  if err then error(err, 0) end
  return event
end

-- Ends it: closes its stream and cancels the tools that are running. One that has ended stays as it ended.
function Run:close()
  if getmetatable(self) ~= Run then check_run(self, "close") end
  if self.over then return end
  finish(self, errors.new({ kind = "cancelled", message = "run_tools was closed before its end" }))
  self.queue = {}
  if self.stream then self.stream:close() end
  if self.running then self.running:close() end
end

Run.__close = Run.close

function Run:__tostring()
  return ("llm_gateway run_tools (round %d%s)"):format(self.round, self.over and ", ended" or "")
end

-- Makes one of {client, client_loop, dialect, set (of tools.lua), offered, request, messages (its own list), streaming,
-- max_rounds, approve, timeout}.
local function new(fields)
  fields.deadline = fields.timeout and core.now() + fields.timeout
  fields.round, fields.stage, fields.queue, fields.over = 0, "ask", {}, false
  return setmetatable(fields, Run)
end

return { new = new }
