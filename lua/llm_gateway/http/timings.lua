-- http/timings.lua: how long the parts of an exchange took, for whoever asks.
-- Leans on the core, which reads what a transfer's times() gave.

local core = require("llm_gateway.core")

local M = {}

-- {dns, connect, tls, first_byte, total, bytes} of something with `times`, as a transfer gave them; of a transfer, so
-- far; nil where neither tells.
function M.of(answer, transfer)
  local times = transfer and transfer:times() or answer.times
  return times and core.timings(times) or nil
end

return M
