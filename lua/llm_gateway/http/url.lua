-- http/url.lua: the parts of a URL (RFC 3986, 3), and the user and password that it may carry.
-- Leans on nothing. A URL is text and stays text: nothing here looks up a name or opens anything.

local M = {}

-- A text of a URL without its percent signs.
function M.decoded(text)
  return (text:gsub("%%(%x%x)", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- {scheme, authority, userinfo (nil without), host, port (text; "" without), path ("" or from its slash on), query
-- (nil without), fragment (nil without)}; nil without a scheme. The text is cut, not judged: host may be nil or "".
function M.parse(text)
  local scheme, rest = text:match("^(%a[%w+.-]*)://(.*)$")
  if not scheme then return nil end
  local authority, path, query, fragment = rest:match("^([^/?#]*)([^?#]*)(%??[^#]*)(.*)$")
  local userinfo, place = authority:match("^(.*)@([^@]*)$")
  place = place or authority
  local host, port = place:match(place:find("^%[") and "^(%[[^%]]+%])(.*)$" or "^([^:]*)(.*)$")
  return {
    scheme = scheme, authority = authority, userinfo = userinfo, host = host, port = port or "", path = path,
    query = query ~= "" and query:sub(2) or nil, fragment = fragment ~= "" and fragment:sub(2) or nil,
  }
end

-- "user:password" of a URL, or of a proxy written without a scheme; nil without any.
function M.userinfo(url)
  local authority = url:gsub("^%a[%w+.-]*://", "", 1):match("^[^/?#]*")
  return authority:match("^(.*)@")
end

-- Name and value of each parameter of a query ("a=1&b=2"), as they stand: an iterator.
function M.parameters(query)
  return (query or ""):gmatch("([^&=]+)=?([^&]*)")
end

local function after_last_at(run)
  return run:find("@", 1, true) and run:match("^.*@(.*)$") or nil
end

-- A text with the credentials of every URL in it left out.
function M.without(text)
  return (text:gsub("[^%s'\"/]+", after_last_at))
end

return M
