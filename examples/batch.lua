-- batch.lua: one question about each item of a list, several at once, within a budget of one's own: it stops asking
-- before the gateway refuses, keeps what it has, and says what is left.
local BUDGET = tonumber(arg and arg[1]) or 0.004 -- USD
local CONCURRENCY = 4

local countries = { "France", "Japan", "Egypt", "Chile", "Norway", "Kenya", "Greece", "Canada", "Poland", "Ireland" }

-- What was spent, and what the calls under way may cost: as much as the dearest so far.
local spent, under_way, dearest = 0, 0, 0

-- Until the first cost is known one call at a time is risked.
local function may_start()
  if dearest == 0 then return under_way == 0 end
  return spent + (under_way + 1) * dearest <= BUDGET
end

require("examples.gateway").with_client({ max_retries = 3 }, function(client, llm)
  -- Waits for its turn; gives up when the calls under way could not leave enough.
  local function reserve()
    while not may_start() do
      if under_way == 0 then return nil, "the budget is used up" end
      llm.sleep(0.01)
    end
    under_way = under_way + 1
    return true
  end

  local function ask(country)
    local ok, why = reserve()
    if not ok then return nil, why end
    local reply, err = client:chat({
      model = "gpt-4", max_tokens = 100,
      messages = { { role = "user", content = "What is the capital of " .. country .. "?" } },
    })
    under_way = under_way - 1
    if not reply then return nil, err end
    local cost = reply.cost or 0 -- as the gateway reports it
    spent, dearest = spent + cost, math.max(dearest, cost)
    return reply:text()
  end

  local answers, errors = llm.map(countries, { concurrency = CONCURRENCY }, ask)
  local done = 0
  for i, country in ipairs(countries) do
    if answers[i] then done = done + 1 end
    print(("%-8s %s"):format(country, answers[i] or "- " .. tostring(errors[i])))
  end
  print(("%d of %d answered for %.4f of %.4f USD"):format(done, #countries, spent, BUDGET))
end)
