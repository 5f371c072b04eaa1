-- embeddings.lua: a small search: the texts nearest to a question.
local texts = { "baking bread at home", "the rules of chess", "repairing a bicycle", "flour, water, salt and yeast" }
local question = arg[1] or "How do I bake bread?"

local function similarity(a, b)
  local sum = 0.0
  for i = 1, #a do sum = sum + a[i] * b[i] end
  return sum
end

require("examples.gateway").with_client({}, function(client, llm)
  local known = llm.assert(client:embeddings({ input = texts, encoding_format = "base64" })).data
  local asked = llm.assert(client:embeddings({ input = question })).data[1].embedding
  local ranked = {}
  for i, item in ipairs(known) do ranked[i] = { similarity(asked, item.embedding), texts[i] } end
  table.sort(ranked, function(a, b) return a[1] > b[1] end)
  for _, found in ipairs(ranked) do print(("%.3f  %s"):format(found[1], found[2])) end
end)
