-- reply/events.lua: events in a body that was read whole, where none were asked for, or where they came as one.
-- Leans on the core's parser and on json. Hands them over as a transfer does.

local core = require("llm_gateway.core")
local json = require("llm_gateway.json")

local M = {}

local FIELDS = { data = true, event = true, id = true, retry = true, error = true, [""] = true }

-- Whether a text begins like an event stream, whatever its type says.
function M.are_in(text)
  local name = text:sub(1, 256):gsub("^\239\187\191", ""):match("^[\r\n]*(%l*):")
  return FIELDS[name or false] == true
end

-- An event as a transfer's chunk() gives it (see src/ltransfer.c).
function M.decoded(data, name, unfinished)
  local value, why, halves = json.decode(data, true)
  if type(value) == "table" then return value, name, halves, unfinished end
  return data, name, why, unfinished
end

local Source = {}
Source.__index = Source

local function pulled(unfinished, data, name, id)
  return data, name ~= "message" and name or nil, unfinished, id
end

function Source:pull()
  local data, name, id = self.parser:pull()
  if data then return pulled(false, data, name, id) end
  data, name, id = self.parser:pull_last()
  if data then return pulled(true, data, name, id) end
end

function Source:chunk()
  local data, name, unfinished = self:pull()
  self.last = data
  if data ~= nil then return M.decoded(data, name, unfinished) end
end

function Source:data() return self.last end
function Source.learn() return nil end

function Source:times() return self.taken end
function Source:id() return self end
function Source.close() end
Source.release, Source.limit_events = Source.close, Source.close

-- A transfer's like of the events in a text. times: the transfer's times().
function M.source(text, times)
  local parser = core.sse(#text + 1, true)
  parser:feed(text)
  return setmetatable({ parser = parser, taken = times }, Source)
end

return M
