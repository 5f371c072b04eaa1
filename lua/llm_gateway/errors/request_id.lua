-- errors/request_id.lua: the id by which a gateway knows a request.
-- Leans on the names that gateways/common.lua has. Never invents one.

local common = require("llm_gateway.gateways.common")
local scalars = require("llm_gateway.scalars")

local M = {}

local text = scalars.text

local FIELDS = { "request_id", "requestId", "trace_id" }

-- The first text in a table under one of these names; or nil.
function M.first_text(place, names)
  for i = 1, #names do
    local found = place[names[i]]
    found = found ~= nil and text(found)
    if found then return found end
  end
end

-- The id of an answer: from its decoded body (any value), else from its headers; or nil. names: those of the headers
-- that may have it, where the caller has all that are known (of gateways' meanings); nil: the profile's, if there is
-- one, then those that many gateways use.
function M.of(body, headers, profile, names)
  local told = type(body) == "table" and M.first_text(body, FIELDS)
  if told or names then return told or M.first_text(headers, names) end
  return profile and profile.request_ids and M.first_text(headers, profile.request_ids)
    or M.first_text(headers, common.request_ids)
end

return M
