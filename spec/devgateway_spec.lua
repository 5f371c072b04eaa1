-- devgateway_spec.lua: the development gateway, driven with the curl command over a real socket.
-- Leans on curl and sh, not on this library's own client: the two must not share a mistake.

local devgateway = require "llm_gateway.devgateway"
local json = require "llm_gateway.json"

local gateway

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function shell(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- options: headers (list of texts), key (false: none), body (a value), limit (seconds), flags
local function curl(path, options)
  options = options or {}
  local words = { "curl -sS -N -i --max-time", tostring(options.limit or 10), options.flags or "" }
  if options.key ~= false then words[#words + 1] = "-H 'X-API-Key: " .. (options.key or "gw_dev") .. "'" end
  for _, header in ipairs(options.headers or {}) do words[#words + 1] = "-H " .. quote(header) end
  if options.body then words[#words + 1] = "--data-binary " .. quote(assert(json.encode(options.body))) end
  words[#words + 1] = quote((options.url or gateway.url) .. path) .. " 2>&1"
  local text = shell(table.concat(words, " "))
  local status, head, body = text:match("^HTTP/[%d.]+ (%d+)[^\r]*\r\n(.-)\r\n\r\n(.*)$")
  return { status = tonumber(status), head = head and ("\r\n" .. head:lower()), body = body, text = text,
    json = body and json.decode(body) }
end

local function chat(text, fields, options)
  local body = { model = "gpt-4", messages = { { role = "user", content = text } } }
  for name, value in pairs(fields or {}) do body[name] = value end
  options = options or {}
  options.body = body
  return curl((options.prefix or "") .. "/v1/chat/completions", options)
end

local function said(answer) return answer.json.choices[1].message.content end

local function chunks(answer)
  local list = {}
  for data in answer.body:gmatch("data: ([^\n]*)\n\n") do
    list[#list + 1] = data == "[DONE]" and data or json.decode(data)
  end
  return list
end

local function stats() return curl("/~stats", { key = false }).json end

local function await(check)
  for _ = 1, 100 do
    if check() then return true end
    os.execute("sleep 0.02")
  end
  return false
end

local function temporary(text)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
  return name
end

describe("the development gateway", function()
  local fixtures

  setup(function()
    fixtures = temporary(json.encode({ cases = { { name = "busy & late", status = 429,
      headers = { ["Retry-After"] = "7", ["Content-Type"] = "application/json" }, body = '{"detail": "no"}' } } }))
    gateway = assert(devgateway.start({ delay = 0.005, fixtures = fixtures }))
  end)

  teardown(function()
    gateway:stop()
    os.remove(fixtures)
  end)

  describe("as a process", function()
    it("starts and stops in one call each, quickly", function()
      local other = assert(devgateway.start())
      assert.matches("^http://127%.0%.0%.1:%d+$", other.url)
      assert.equal(200, curl("/health", { url = other.url }).status)
      other:stop()
      other:stop()
      assert.is_nil(curl("/health", { url = other.url }).status)
    end)

    it("says what is wrong", function()
      local none, message = devgateway.start({ port = gateway.port })
      assert.is_nil(none)
      assert.matches("cannot listen on port", message)
      none, message = devgateway.start({ lua = "no-such-lua" })
      assert.is_nil(none)
      assert.matches("no%-such%-lua lacks lua%-http", message)
      none, message = devgateway.start({ fixtures = "/nowhere/at/all.json" })
      assert.is_nil(none)
      assert.matches("/nowhere/at/all.json", message)
      assert.has_error(function() devgateway.start({ dleay = 1 }) end)
    end)

    it("ends with the program that started it", function()
      local pid = shell("(sleep 0.3) | luajit lua/llm_gateway/devgateway/main.lua --until-eof; echo ended")
      assert.matches("development gateway on http://127.0.0.1:%d+.*ended", pid)
    end)
  end)

  describe("authentication", function()
    it("wants a key, in either header", function()
      assert.equal(401, curl("/v1/models", { key = false }).status)
      assert.equal(401, curl("/v1/models", { key = "wrong" }).status)
      assert.equal(200, curl("/v1/models").status)
      local bearer = { key = false, headers = { "Authorization: Bearer gw_dev" } }
      assert.equal(200, curl("/v1/models", bearer).status)
    end)

    it("knows several keys, apps and orgs", function()
      local other <const> = nil
      assert.is_nil(other)
    end)
  end)
end)
