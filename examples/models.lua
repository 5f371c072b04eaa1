-- models.lua: what the gateway offers.
require("examples.gateway").with_client({}, function(client, llm)
  for _, model in ipairs(llm.assert(client:models())) do
    print(("%-40s %s"):format(model.id, model.owned_by or ""))
  end
end)
