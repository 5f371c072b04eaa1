-- cli/doctor/talk.lua: the part of the doctor's examination that spends tokens: a chat, a stream, a tool.

local M = {}

local QUESTION = { { role = "user", content = "Hi" } }
local TOOL = { {
  type = "function",
  ["function"] = { name = "noop", parameters = { type = "object", properties = { n = { type = "integer" } } } },
} }
local MAX_TOKENS = 4 -- of an answer
local AT_ONCE = 0.005 -- seconds within which a stream's chunks all come where nobody streams

-- Counts the tokens of an answer.
function M.spend(self, usage)
  if type(usage) ~= "table" then return end
  self.spent = self.spent + (tonumber(usage.total_tokens) or 0)
end

local function names_of(list)
  table.sort(list)
  return table.concat(list, ", ")
end

-- The chat. Returns its answer; nil when it failed.
local function chat(self, path, model)
  local body = { model = model, messages = QUESTION, max_tokens = MAX_TOKENS }
  local answer, err = self.probe:send("POST", path .. "/chat/completions", { body = body, scheme = self.scheme or nil })
  err = err or answer.err
  if err then
    self.report:add("no", "chat", ("%s: %s"):format(model, tostring(err)))
    return nil
  end
  M.spend(self, answer.value.usage)
  self.report:add("ok", "chat", ("%s answers"):format(model))
  return answer
end

local function report_info(self, answer)
  local info = answer.info or {}
  local buckets = {}
  for name in pairs(info.rate_limit or {}) do table.insert(buckets, name) end
  self.report:add(buckets[1] and "ok" or "skip", "rate limits",
    buckets[1] and names_of(buckets) or "no headers tell of them")
  local cost = info.cost or (type(answer.value) == "table" and answer.value.cost)
  self.report:add(cost and "ok" or "skip", "cost", cost and ("%s USD for this call"):format(tostring(cost))
    or "not reported")
end

-- The stream: whether it is one, what its end looks like, and whether it tells its usage.
local function stream(self, path, model)
  local body = {
    model = model, messages = QUESTION, max_tokens = MAX_TOKENS, stream = true,
    stream_options = { include_usage = true },
  }
  local seen, err = self.probe:stream(path .. "/chat/completions", body, self.scheme or nil)
  if not seen then return self.report:add("no", "streams", tostring(err)) end
  M.spend(self, seen.usage or { total_tokens = seen.is_endless and seen.chunks })
  if seen.is_endless then
    local words = "%d chunks where %d tokens were asked for, and no end: max_tokens is not heeded"
    return self.report:add("warn", "streams", words:format(seen.chunks, MAX_TOKENS))
  end
  local real = seen.chunks > 1 and seen.last - seen.first > AT_ONCE
  self.report:add(seen.chunks > 1 and "ok" or "warn", "streams", seen.chunks < 2 and "the whole answer in one chunk"
    or ("%d chunks%s"):format(seen.chunks, real and "" or ", all at once"))
  self.report:add(seen.finish_reason and "ok" or "warn", "ends", seen.finish_reason
    and "a finish_reason tells a whole stream from a cut one" or "no finish_reason: only [DONE] tells whole from cut")
  self.report:add(seen.usage and "ok" or "skip", "usage", seen.usage and "streams tell it on request" or
    "streams do not tell it")
end

local function tools(self, path, model)
  local body = {
    model = model, messages = QUESTION, max_tokens = 4 * MAX_TOKENS, tools = TOOL, tool_choice = "required",
  }
  local answer, err = self.probe:send("POST", path .. "/chat/completions", { body = body, scheme = self.scheme or nil })
  err = err or answer.err
  if err then return self.report:add("no", "tools", tostring(err)) end
  M.spend(self, answer.value.usage)
  local choice = type(answer.value.choices) == "table" and answer.value.choices[1]
  local called = choice and choice.message and choice.message.tool_calls
  self.report:add(called and "ok" or "skip", "tools", called and "the model calls them"
    or "accepted, but the model called none")
end

-- Examines the chats at an api path. Returns what the gateway answered, for its headers; nil when it refused.
function M.examine(self, path, model)
  if not model then return self.report:add("skip", "chat", "no model is listed: name one with --model") end
  local answer = chat(self, path, model)
  if not answer then return nil end
  report_info(self, answer)
  stream(self, path, model)
  tools(self, path, model)
  return answer
end

return M
