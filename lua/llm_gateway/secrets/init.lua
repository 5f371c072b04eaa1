-- secrets/init.lua: the one that knows which of a call's texts are secret. redact.lua hides them wherever they come
-- back.

local fields = require("llm_gateway.http.fields")
local lazy = require("llm_gateway.lazy")
local url = require("llm_gateway.http.url")

local base64 = lazy("llm_gateway.http.base64")

local M = {}

-- What secrets/redact.lua gives, which is loaded with the first call (errors/transport.lua says why).
function M.redact(value, secrets)
  if not secrets or not secrets[1] then return value end
  return require("llm_gateway.secrets.redact")(value, secrets)
end

-- ---------------------------------------------------------------------------------------------------------
-- What is secret

-- A name is cut into its words: what only contains "key" (x-portkey-provider) or "auth" (X-Author) is no secret.
local SECRET_WORDS = {
  "auth", "authorization", "cookie", "cookies", "cred", "credential", "credentials", "jwt", "key", "keys", "pass",
  "passphrase", "passwd", "password", "pat", "pwd", "secret", "secrets", "session", "sig", "signature", "token",
  "tokens",
}
local SECRET_TAILS = {
  "accesskey", "apikey", "authkey", "authorization", "password", "secret", "secretkey", "sessionid", "token",
}
local OPEN_NAMES = { ["idempotency-key"] = true, ["x-idempotency-key"] = true, ["idempotencykey"] = true }

local is_secret_word = {}
for _, word in ipairs(SECRET_WORDS) do is_secret_word[word] = true end

local function ends_as_secret(word)
  for _, tail in ipairs(SECRET_TAILS) do
    if word:sub(-#tail) == tail then return true end
  end
  return false
end

-- Whether a header field, or a parameter of a URL, of this name is likely to be a secret.
function M.is_name_of_one(name)
  if OPEN_NAMES[name:lower()] then return false end
  local words = name:gsub("(%l)(%u)", "%1-%2"):lower() -- apiKey
  for word in words:gmatch("%a+") do
    if is_secret_word[word] or ends_as_secret(word) then return true end
  end
  return false
end

-- What HTTP's Basic scheme carries: user and password, and the password alone.
local function add_basic(list, token)
  local info = base64.decode(token)
  local user, password = (info or ""):match("^(.-):(.*)$")
  if not user then return end
  list[#list + 1] = info
  list[#list + 1] = password ~= "" and password or user -- some put a key where the user's name goes
end

local function add(list, text)
  if type(text) == "number" then text = fields.text(text) end
  if type(text) ~= "string" or text == "" then return end
  list[#list + 1] = text
  local scheme, token = text:match("^(%a+)%s+(%S+)$") -- "Bearer ..."
  if token then list[#list + 1] = token end
  if token and scheme:lower() == "basic" then add_basic(list, token) end
  for value in text:gmatch("=([^;,%s]+)") do list[#list + 1] = value end -- "session=..."
end

local function add_headers(list, given)
  for name, value in pairs(given or {}) do
    if M.is_name_of_one(name) then add(list, value) end
  end
end

local function add_parameters(list, query)
  for name, value in url.parameters(query) do
    if M.is_name_of_one(name) then
      add(list, value)
      add(list, url.decoded(value))
    end
  end
end

-- What a URL (nil: none) carries: user and password, the password alone, both as they stand and decoded, and the form
-- that HTTP's Basic scheme sends; then the keys in its query.
local function add_url(list, text)
  if not text then return end
  add_parameters(list, text:match("%?([^#]*)"))
  local info = url.userinfo(text)
  if not info or info == "" then return end
  local plain = url.decoded(info)
  add(list, base64.encode(plain:find(":", 1, true) and plain or plain .. ":"))
  for _, form in ipairs({ info, plain }) do
    local user, password = form:match("^(.-):(.*)$")
    list[#list + 1] = form
    list[#list + 1] = password ~= "" and password or user -- some put a key where the user's name goes
  end
end

-- The secrets of a client's configuration: a list of texts. The key is not among them where a function tells it.
function M.of_client(config)
  local list = {}
  add(list, config.api_key)
  add(list, config.provider_key)
  add_headers(list, config.headers)
  add_url(list, config.base_url)
  add_url(list, config.via)
  return list
end

-- The secrets of one call: `own` are its options, `key` the key it uses, `path` what of the path is its own. Where it
-- has none of its own that is the client's list itself, whose forms are then found once.
function M.of_call(config, own, key, path)
  local list = {}
  if key ~= config.api_key then add(list, key) end
  add(list, rawget(own, "provider_key"))
  add_headers(list, rawget(own, "headers"))
  if path and path:find("?", 1, true) then add_parameters(list, path:match("%?(.*)$")) end
  if not list[1] then return config.secrets end
  for _, text in ipairs(config.secrets) do list[#list + 1] = text end
  return list
end

return M
