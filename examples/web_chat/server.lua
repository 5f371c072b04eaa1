-- server.lua: a chat page for browsers: their questions go to the gateway, its events come back as they are.
-- A lua-http server in one thread: while one browser waits for the gateway the others are served, for the client's
-- calls wait in cqueues (llm_gateway.loop.cqueues). The gateway's key stays here; who closes the page stops its stream.
--
--   LLM_GATEWAY_BASE_URL=... LLM_GATEWAY_API_KEY=... luajit examples/web_chat/server.lua [port]
--
-- It needs lua-http and cqueues for the Lua that runs it; it listens on 127.0.0.1 only. Without a gateway in the
-- environment it starts a development gateway.
local http_headers = require "http.headers"
local http_server = require "http.server"

local adapter = require "llm_gateway.loop.cqueues"
local llm = require "llm_gateway"

local HERE = debug.getinfo(1, "S").source:match("^@(.*)server%.lua$") or "./"
local LONGEST_QUESTION = 2 ^ 20 -- bytes
local MOST_MESSAGES = 200
local NO_QUESTION = { status = 400, kind = "validation", message = "expected {messages: [{role, content}, ...]}" }

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function answer(stream, status, kind, text)
  local headers = http_headers.new()
  headers:append(":status", ("%d"):format(status))
  headers:append("content-type", kind)
  headers:append("content-length", ("%d"):format(#text))
  headers:append("cache-control", "no-store")
  if stream:write_headers(headers, false, 10) then stream:write_chunk(text, true, 10) end
end

-- What a browser is told of failures that are none of its business: a message may name hosts behind this one.
local WORDS = {
  authentication = "the service is not set up", connection = "the model cannot be reached",
  server = "the model failed", stream = "the answer broke off", timeout = "the model took too long",
}

local function told_of(err)
  return { kind = err.kind, message = WORDS[err.kind] or err.message, retry_after = err.retry_after }
end

-- (A gateway may refuse with a 200.)
local function refuse(stream, err)
  io.stderr:write(tostring(err), "\n")
  local status = err.status and err.status >= 400 and err.status or 502
  answer(stream, status, "application/json", llm.json.encode({ error = told_of(err) }))
end

-- Only what the page sends: a list of what was said, in two roles.
local function messages_of(text)
  local given = text and llm.json.decode(text)
  local list = type(given) == "table" and given.messages
  if type(list) ~= "table" or #list == 0 or #list > MOST_MESSAGES then return nil end
  local messages = { { role = "system", content = "You talk to somebody on a web page. Be brief." } }
  for i, message in ipairs(list) do
    local role, content = message.role, message.content
    if (role ~= "user" and role ~= "assistant") or type(content) ~= "string" then return nil end
    messages[i + 1] = { role = role, content = content }
  end
  return messages
end

local function open_events(stream)
  local headers = http_headers.new()
  headers:append(":status", "200")
  headers:append("content-type", "text/event-stream")
  headers:append("cache-control", "no-store")
  headers:append("x-accel-buffering", "no") -- nginx would gather them
  return stream:write_headers(headers, false, 10)
end

local function event_text(event)
  local name = event.event ~= "message" and "event: " .. event.event .. "\n" or ""
  return name .. "data: " .. event.data:gsub("\n", "\ndata: ") .. "\n\n"
end

-- The events as they came, with the gateway's last word, be it an error. A page that is gone takes no more: closing the
-- stream stops the model.
local function relay(stream, events)
  local next_event = events:events()
  while true do
    local ok, event = pcall(next_event)
    if not ok then
      if not llm.is_error(event) then error(event, 0) end
      io.stderr:write(tostring(event), "\n")
      stream:write_chunk(event_text({ event = "error", data = llm.json.encode(told_of(event)) }), true, 10)
      break
    end
    if not event then
      stream:write_chunk("", true, 10)
      break
    end
    if not stream:write_chunk(event_text(event), false, 30) then break end
  end
  events:close()
end

local function chat(client, stream)
  local messages = messages_of(stream:get_body_chars(LONGEST_QUESTION, 30))
  if not messages then return refuse(stream, NO_QUESTION) end
  local events, err = client:chat({ model = os.getenv("LLM_GATEWAY_MODEL"), messages = messages, stream = true })
  if not events then return refuse(stream, err) end
  if open_events(stream) then relay(stream, events) else events:close() end
end

local function handler(client)
  local page = read_file(HERE .. "page.html")
  return function(_, stream)
    local headers = stream:get_headers(30)
    if not headers then return end
    local asked = headers:get(":method") .. " " .. headers:get(":path")
    if asked == "GET /" then return answer(stream, 200, "text/html; charset=utf-8", page) end
    if asked == "POST /chat" then return chat(client, stream) end
    answer(stream, 404, "text/plain", "there is nothing here")
  end
end

local function serve(client)
  local server = assert(http_server.listen({
    host = "127.0.0.1", port = tonumber(arg[1] or 0), onstream = handler(client),
    onerror = function(_, _, operation, err) io.stderr:write(operation, ": ", tostring(err), "\n") end,
  }))
  assert(server:listen())
  adapter.attach({ controller = server.cq })
  local _, host, port = server:localname()
  print(("http://%s:%d"):format(host, port))
  io.stdout:flush()
  assert(server:loop())
end

if os.getenv("LLM_GATEWAY_BASE_URL") then return serve(llm.new({})) end
local gateway = assert(require("llm_gateway.devgateway").start({ delay = 0.05 }))
serve(llm.new({ base_url = gateway.url, api_key = "gw_dev" }))
