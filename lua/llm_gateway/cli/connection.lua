-- cli/connection.lua: a client for the command line. Keys come from the environment or a file, never from an argument,
-- which every user of the machine could read.

local core = require("llm_gateway.core")
local llm = require("llm_gateway")

local M = {}

local function read_file(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, err = file:read("*a")
  file:close()
  return text, err and (path .. ": " .. err)
end

M.read_file = read_file

-- The key in a file; says so where others may read it. Returns nil and a message when there is none.
function M.key_of(path)
  local text, why = read_file(path)
  if not text then return nil, why end
  local key = text:match("^%s*(%S+)%s*$")
  if not key then return nil, path .. ": expected one key and nothing else" end
  if core.is_private(path) == false then
    io.stderr:write(("llm-gateway: others can read %s: chmod 600 it\n"):format(path))
  end
  return key
end

-- The header fields of the command line, by name; or nil and a message.
function M.headers_of(args)
  local fields = {}
  for _, text in ipairs(args.header or {}) do
    local name, value = text:match("^%s*([^:%s]+)%s*:%s*(.-)%s*$")
    if not name then return nil, ("--header %s: expected NAME:VALUE"):format(text) end
    fields[name] = value
  end
  return fields
end

-- A client by the options of the command line; or nil and a message.
function M.client(args)
  local key
  local headers, why = M.headers_of(args)
  if not headers then return nil, why end
  if args.key_file then
    key, why = M.key_of(args.key_file)
    if not key then return nil, why end
  end
  local made, client = pcall(llm.new, {
    base_url = args.url, gateway = args.gateway, api_key = key, app_id = args.app, org_id = args.org,
    timeout = args.timeout, headers = headers,
  })
  if made then return client end
  return nil, (tostring(client):gsub("^.-:%d+: ", ""))
end

-- A text of the command line: words, @FILE, or standard input where there are no words and it is no terminal.
-- Returns nil without any; nil and a message when the file cannot be read.
function M.text_of(words)
  local text = type(words) == "table" and table.concat(words, " ") or words
  if text and text:sub(1, 1) == "@" then return read_file(text:sub(2)) end
  if text and text ~= "" then return text end
  if core.is_terminal(0) then return nil end
  text = io.read("*a") or ""
  return text:find("%S") and text or nil, not text:find("%S") and "standard input is empty" or nil
end

return M
