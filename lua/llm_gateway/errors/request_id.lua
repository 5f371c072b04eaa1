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

-- The id of an answer that is no error: from its decoded body (any value), else from its headers; or nil.
-- profile: the gateway's, or nil.
function M.of(body, headers, profile)
  return type(body) == "table" and M.first_text(body, FIELDS)
    or profile and profile.request_ids and M.first_text(headers, profile.request_ids)
    or M.first_text(headers, common.request_ids)
end

return M
