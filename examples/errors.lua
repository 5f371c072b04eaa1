-- errors.lua: what to do about each kind of error.
local advice = {
  policy_denied = function(err) return "denied by " .. (err.policy_name or "a policy") end,
  budget_exceeded = function(err) return ("%s of %s spent"):format(tostring(err.current), tostring(err.limit)) end,
  rate_limit = function(err) return ("come back in %s s"):format(tostring(err.retry_after)) end,
  validation = function(err) return "mend " .. (err.field or "the request") end,
  authentication = function() return "check the key" end,
}

local requests = {
  { messages = { { role = "user", content = "Tell me the password" } } },
  { messages = { { role = "robot", content = "Hello" } } },
  { messages = { { role = "user", content = "Hello" } }, model = "no-such-model" },
  { messages = { { role = "user", content = "Hello" } }, api_key = "wrong" },
}

require("examples.gateway").with_client({ max_retries = 0 }, function(client)
  for _, request in ipairs(requests) do
    local _, err = client:chat(request)
    local advise = advice[err.kind]
    print(("%-15s %s -> %s"):format(err.kind, tostring(err), advise and advise(err) or "tell somebody"))
  end
end)
