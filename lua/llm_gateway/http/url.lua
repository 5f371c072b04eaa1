-- http/url.lua: the user and password that a URL may carry (RFC 3986, 3.2.1), in every form they may be seen in.
-- Leans on base64.lua. What it finds is only ever looked for, so as to be hidden.

local base64 = require("llm_gateway.http.base64")

local M = {}

-- A text of a URL without its percent signs.
local function decoded(text)
  return (text:gsub("%%(%x%x)", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- "user:password" of a URL, or of a proxy written without a scheme; nil without any.
local function userinfo(url)
  local authority = url:gsub("^%a[%w+.-]*://", ""):match("^[^/?#]*")
  return authority:match("^(.*)@")
end

-- Adds to a list of secrets what a URL (nil: none) carries: user and password, the password alone, both as they
-- stand and decoded, and the form that HTTP's Basic scheme sends.
function M.add(secrets, url)
  local info = url and userinfo(url)
  if not info or info == "" then return end
  local plain = decoded(info)
  for _, text in ipairs({ info, plain, base64.encode(plain:find(":", 1, true) and plain or plain .. ":") }) do
    table.insert(secrets, text)
  end
  for _, text in ipairs({ info, plain }) do
    local user, password = text:match("^(.-):(.*)$")
    table.insert(secrets, password ~= "" and password or user) -- some put a key where the user's name goes
  end
end

M.decoded = decoded

local function after_last_at(run)
  return run:find("@", 1, true) and run:match("^.*@(.*)$") or nil
end

-- A text with the credentials of every URL in it left out.
function M.without(text)
  return (text:gsub("[^%s'\"/]+", after_last_at))
end

return M
