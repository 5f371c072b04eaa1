-- cli/doctor/auth.lua: which header field takes the key, and the option that makes the library send it.
-- Leans on probe.lua for the ways that there are. `self` is the doctor's record:
-- {probe, report, scheme, headers}.

local probes = require("llm_gateway.cli.doctor.probe")

local M = {}

local function quoted(text) return ("%q"):format(text) end

-- Which of the headers does it: none, or the first that is enough alone. Returns a scheme, false for none, or nil.
function M.find(self, path)
  if self.scheme then -- it was the only way in
    self.report:add("ok", "auth", self.scheme.title)
    return self.scheme
  end
  local answer = self.probe:send("GET", path .. "/models", { scheme = false })
  if answer and answer.status == 200 then
    self.report:add("ok", "auth", "it wants no key for its models")
    return self.probe.key and probes.SCHEMES[1] or false
  end
  for _, scheme in ipairs(probes.SCHEMES) do
    answer = self.probe.key and self.probe:send("GET", path .. "/models", { scheme = scheme })
    if answer and answer.status == 200 then
      self.report:add("ok", "auth", scheme.title)
      return scheme
    end
  end
end

-- What could not be found out about it.
function M.report(self, models)
  if not models[1] then
    self.report:add("skip", "auth", "without a list of models the headers cannot be told apart")
  elseif self.scheme == nil then
    self.report:add("warn", "auth", "the key is accepted only together with other headers")
  end
end

-- Whether `api_key` goes out as the gateway wants it: by its profile, or as the library does without one.
local function is_sent(scheme, ways)
  if not scheme then return true end
  for _, way in ipairs(ways or {}) do
    if way.header:lower() == scheme.header:lower() then return true end
  end
  return not ways and scheme.unnamed
end

local function as_field(name, value) return ("[%s] = %s"):format(quoted(name), value) end

-- The options that carry the key, and the header fields of the command line. `ways`: what the gateway's profile sends;
-- nil without one.
function M.report_headers(self, ways)
  local key, scheme, fields = 'os.getenv("LLM_GATEWAY_API_KEY")', self.scheme, {}
  for name, value in pairs(self.headers) do table.insert(fields, as_field(name, quoted(value))) end
  table.sort(fields)
  if self.probe.key and is_sent(scheme, ways) then
    self.report:set("api_key", key)
  elseif self.probe.key then
    if scheme.prefix ~= "" then key = quoted(scheme.prefix) .. " .. " .. key end
    table.insert(fields, as_field(scheme.header, key))
  end
  if fields[1] then self.report:set("headers", "{ " .. table.concat(fields, ", ") .. " }") end
end

return M
