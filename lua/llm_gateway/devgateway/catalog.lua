-- devgateway/catalog.lua: the models that the development gateway knows, of five providers, with their prices.
-- Leans on nothing. Never decides who may use a model (guard does).

-- id, input and output price in USD per 1,000 tokens; `embeds` marks embedding models.
local PROVIDERS = {
  { "openai", {
    { "gpt-4", 0.03, 0.06 }, { "gpt-4-32k", 0.06, 0.12 }, { "gpt-4-turbo", 0.01, 0.03 },
    { "gpt-4o", 0.0025, 0.01 }, { "gpt-4o-mini", 0.00015, 0.0006 }, { "gpt-3.5-turbo", 0.0005, 0.0015 },
    { "text-embedding-ada-002", 0.0001, 0, embeds = true },
    { "text-embedding-3-small", 0.00002, 0, embeds = true },
    { "text-embedding-3-large", 0.00013, 0, embeds = true },
  } },
  { "anthropic", {
    { "claude-3-opus-20240229", 0.015, 0.075 }, { "claude-3-5-sonnet-20241022", 0.003, 0.015 },
    { "claude-3-5-haiku-20241022", 0.0008, 0.004 },
  } },
  { "aws_bedrock", {
    { "anthropic.claude-3-sonnet-20240229-v1:0", 0.003, 0.015 },
    { "amazon.titan-text-express-v1", 0.0002, 0.0006 },
    { "amazon.titan-embed-text-v2:0", 0.00002, 0, embeds = true },
  } },
  { "ollama", {
    { "llama3.2", 0, 0 }, { "mistral", 0, 0 }, { "nomic-embed-text", 0, 0, embeds = true },
  } },
  { "lmstudio", {
    { "qwen2.5-7b-instruct", 0, 0 }, { "text-embedding-nomic-embed-text-v1.5", 0, 0, embeds = true },
  } },
}

local CREATED = 1700000000

local Catalog = {}
Catalog.__index = Catalog

local function add(catalog, model)
  if not catalog.by_id[model.id] then table.insert(catalog.list, model.id) end
  catalog.by_id[model.id] = model
end

local function describe(model)
  return { id = model.id, object = "model", created = CREATED, owned_by = model.owned_by }
end

-- The model of that id, {id, owned_by, input, output, embeds}, or nil.
function Catalog:find(id)
  return self.by_id[id]
end

-- One model, or the whole list, in the shape of the models endpoint.
function Catalog:show(id)
  return self.by_id[id] and describe(self.by_id[id])
end

function Catalog:show_all()
  local data = {}
  for index, id in ipairs(self.list) do data[index] = describe(self.by_id[id]) end
  return { object = "list", data = data }
end

-- What that many tokens cost, in USD.
function Catalog.cost(model, prompt_tokens, completion_tokens)
  local usd = (prompt_tokens * model.input + completion_tokens * model.output) / 1000
  return math.floor(usd * 1e8 + 0.5) / 1e8
end

local M = {}

-- A catalog of the known models and, on top, those of the list `extra`.
function M.new(extra)
  local catalog = setmetatable({ list = {}, by_id = {} }, Catalog)
  for _, provider in ipairs(PROVIDERS) do
    for _, row in ipairs(provider[2]) do
      add(catalog, { id = row[1], owned_by = provider[1], input = row[2], output = row[3],
        embeds = row.embeds })
    end
  end
  for _, model in ipairs(extra or {}) do
    add(catalog, { id = model.id, owned_by = model.owned_by or "custom", input = model.input or 0,
      output = model.output or 0, embeds = model.embeds })
  end
  return catalog
end

return M
