-- Bytes in and out: forms of texts and files, bodies of text, answers into files; what goes wrong with a file.
local json = require "llm_gateway.json"
local llm = require "llm_gateway"
local support = require "spec.support"

local function content(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

local function memory()
  local pages = assert(io.open("/proc/self/statm")):read("*a"):match("^%d+ (%d+)")
  return tonumber(pages) * 4096
end

describe("a request", function()
  local client
  local gateway = support.gateway(nil, function(started) client = support.client(started) end)
  local files = {}

  teardown(function()
    for _, path in ipairs(files) do os.remove(path) end
  end)

  local function file(bytes)
    local path = support.file(bytes or "")
    table.insert(files, path)
    return path
  end

  local function upload(multipart, fields)
    local request = { path = "/v1/audio/transcriptions", multipart = multipart }
    for name, value in pairs(fields or {}) do request[name] = value end
    return client:request(request)
  end

  describe("with a form", function()
    it("sends texts, numbers and files", function()
      local sound = ("\0\1\2\255"):rep(50000)
      local path = file(sound)
      local reply = llm.assert(upload({
        model = "whisper-1", temperature = 0.5, prompt = "", keep = true,
        file = { path = path, type = "audio/mpeg", filename = "a b.mp3" },
      }))
      assert.same("200000 bytes of sound", reply.text)
      assert.same({ "keep", "model", "prompt", "temperature", "file" }, (function()
        local names = {}
        for i, part in ipairs(reply.parts) do names[i] = part.name end
        return names
      end)())
      assert.same({ "true", "whisper-1", "", "0.5" }, { reply.parts[1].text, reply.parts[2].text, reply.parts[3].text,
        reply.parts[4].text })
      assert.same({ name = "file", filename = "a b.mp3", type = "audio/mpeg", bytes = 200000 }, reply.parts[5])
    end)

    it("sends bytes as a file, lists, and parts in their order", function()
      local path = file("x")
      local reply = llm.assert(upload({ ["tags[]"] = { "a", "b" }, file = { data = "\0\1", filename = "x.wav" } }))
      assert.same({ "tags[]", "tags[]", "file" }, { reply.parts[1].name, reply.parts[2].name, reply.parts[3].name })
      assert.same({ "x.wav", 2 }, { reply.parts[3].filename, reply.parts[3].bytes })
      reply = llm.assert(upload({ { name = "z", path = path }, { name = "a", data = "1" } }))
      assert.same({ "z", path:match("[^/]+$"), "a" },
        { reply.parts[1].name, reply.parts[1].filename, reply.parts[2].name })
    end)

    it("goes out again when it is tried again", function()
      local tries = 0
      local retrying = support.client(gateway, { max_retries = 1, max_retry_delay = 0.01,
        on_retry = function() tries = tries + 1 end }, "/~fault/status/503")
      local reply, err = retrying:request({ path = "/v1/files", multipart = { file = { path = file("abc") } } })
      assert.is_nil(reply)
      assert.same(503, err.status)
      assert.same(1, tries)
    end)

    it("tells how far it came", function()
      local path, last, calls = file(("x"):rep(300000)), nil, 0
      llm.assert(upload({ file = { path = path } }, { on_progress = function(bytes)
        last, calls = bytes, calls + 1
        assert.is_true(bytes.sent <= bytes.size)
      end }))
      assert.same(300000, last.size)
      assert.same(300000, last.sent)
      assert.is_true(calls > 1)
    end)

    it("ends with what on_progress raises", function()
      local ok, err = pcall(upload, { file = { path = file("x") } }, { on_progress = function() error("stop", 0) end })
      assert.is_false(ok)
      assert.same("stop", err)
    end)

    it("is told what is wrong with it", function()
      local function fault(multipart, fields)
        local reply, err = upload(multipart, fields)
        assert.is_nil(reply)
        assert.same("validation", err.kind)
        assert.is_false(err.retryable)
        return err.field, err.message
      end
      local field, message = fault({ file = { path = "/no/such/file" } })
      assert.same("multipart.file", field)
      assert.matches("/no/such/file: No such file", message)
      assert.matches("directory", select(2, fault({ file = { path = "/tmp" } })))
      assert.matches("Invalid argument", select(2, fault({ file = { path = "/dev/zero" } })))
      assert.same("multipart.files[2]", (fault({ files = { { data = "x" }, { path = "/no/such/file" } } })))
      assert.same("multipart.file.pth", (fault({ file = { pth = "x" } })))
      assert.same("multipart.file", (fault({ file = {} })))
      assert.same("multipart.file", (fault({ file = { path = "x", data = "y" } })))
      assert.same("multipart.file.type", (fault({ file = { data = "x", type = "a\r\nb: c" } })))
      assert.same("multipart.x", (fault({ x = print })))
      assert.same("multipart", (fault({})))
      assert.same("multipart", (fault("x")))
      assert.same("multipart", (fault({ a = "b" }, { body = {} })))
      assert.same("headers", (fault({ a = "b" }, { headers = { ["content-type"] = "text/plain" } })))
    end)

    it("refuses an unreadable file", function()
      if support.output_of("id -u"):find("^0") then return end
      local path = file("x")
      os.execute("chmod 000 " .. path)
      assert.matches("Permission denied", select(2, upload({ file = { path = path } })).message)
    end)

    it("sends of a file that grows what it began with, and of one that shrinks nothing whole", function()
      local size = 2 ^ 20
      local path = file(("x"):rep(size))
      local function with(change)
        local changed = false
        return upload({ file = { path = path } }, { on_progress = function(bytes)
          if changed or bytes.sent == 0 then return end
          changed = true
          change()
        end })
      end
      local reply = llm.assert(with(function()
        local more = io.open(path, "ab")
        more:write(("y"):rep(1000))
        more:close()
      end))
      assert.same(size, reply.parts[1].bytes)
      local cut, err = with(function() io.open(path, "wb"):close() end)
      if cut then return end -- all of it was read before
      assert.same({ "validation", "multipart" }, { err.kind, err.field })
      assert.matches("became shorter", err.message)
    end)
  end)

  describe("with text as its body", function()
    it("sends it as it is", function()
      local typed = { ["Content-Type"] = "text/x" }
      local echo = llm.assert(client:request({ path = "/~echo", body = "a\0b", headers = typed }))
      local body, fields = support.echoed(echo)
      assert.same("a\0b", body)
      assert.same("text/x", fields["content-type"])
    end)

    it("wants to know its type", function()
      assert.same("body", select(2, client:request({ path = "/~echo", body = "a" })).field)
    end)
  end)

  describe("for bytes", function()
    local function speak(body, fields)
      local request = { path = "/v1/audio/speech", body = body }
      for name, value in pairs(fields or {}) do request[name] = value end
      return client:request(request)
    end

    it("returns them as text", function()
      assert.same("RIFF\0\1\2", speak({ input = "RIFF\0\1\2" }))
    end)

    it("writes them into a file", function()
      local path = file("what was there before")
      local received
      local reply = llm.assert(speak({ bytes = 200000 }, { into = path,
        on_progress = function(bytes) received = bytes.received end }))
      assert.same({ path, 200000 }, { reply.into, reply.bytes })
      assert.same(200, reply:info().status)
      assert.same(("\0\255abc123"):rep(25000), content(path))
      assert.is_true(received > 0)
    end)

    it("leaves a file as it was when the answer is an error", function()
      local path = file("before")
      local refusing = support.faulty(gateway, "status/503")
      local reply, err = refusing:request({ path = "/v1/audio/speech", body = {}, into = path })
      assert.is_nil(reply)
      assert.same(503, err.status)
      assert.same("before", content(path))
      local new = path .. ".new"
      refusing:request({ path = "/v1/audio/speech", body = {}, into = new })
      assert.is_nil(content(new))
    end)

    it("finds an error that came with a 200, and keeps no file of it", function()
      local path = file()
      local lying = support.answering(gateway, '{"error":{"message":"no credit","code":"insufficient_quota"}}')
      local reply, err = lying:request({ path = "/v1/audio/speech", body = {}, into = path })
      assert.is_nil(reply)
      assert.same("budget_exceeded", err.kind)
      assert.is_nil(content(path))
      local data = support.answering(gateway, '{"data":1}')
      assert.same(10, llm.assert(data:request({ path = "/x", body = {}, into = path })).bytes)
      assert.same('{"data":1}', content(path))
    end)

    it("keeps no part of an answer", function()
      local path = file("before")
      local head = "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 100\r\n\r\n"
      local cut = support.scripted(gateway, { { send = head .. "half" }, { close = true } })
      local reply, err = cut:request({ path = "/v1/audio/speech", body = {}, into = path })
      assert.is_nil(reply)
      assert.same("connection", err.kind)
      assert.is_nil(content(path))
    end)

    it("keeps no part of a call that was closed or cancelled", function()
      local path = file("before")
      local head = "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 100\r\n\r\nhalf"
      local slow = support.scripted(gateway, { { send = head }, { hold = true } })
      llm.run(function()
        local call = llm.spawn(function()
          return slow:request({ path = "/v1/audio/speech", body = {}, into = path })
        end)
        while content(path) ~= "half" do llm.sleep(0.005) end
        call:cancel()
        assert.same("cancelled", select(2, call:join()).kind)
      end)
      assert.is_nil(content(path))
    end)

    it("says before anything is sent that it could not write", function()
      local sent = 0
      local watched = support.client(gateway, { on_response = function(seen) sent = seen.status end })
      local reply, err = watched:request({ path = "/v1/audio/speech", body = {}, into = "/no/such/folder/a.mp3" })
      assert.is_nil(reply)
      assert.same({ "validation", "into" }, { err.kind, err.field })
      assert.matches("/no/such/folder/a.mp3: No such file", err.message)
      assert.is_nil(sent)
      assert.same("into", select(2, watched:request({ path = "/x", into = 5 })).field)
      assert.same("into", select(2, watched:request({ path = "/x", into = "x", stream = true })).field)
    end)

    it("says that the disk is full", function()
      if not io.open("/dev/full") then return end
      local reply, err = speak({ bytes = 200000 }, { into = "/dev/full" })
      assert.is_nil(reply)
      assert.same({ "validation", "into" }, { err.kind, err.field })
      assert.matches("/dev/full: No space left on device", err.message)
      assert.is_truthy(io.open("/dev/full"))
    end)

    it("keeps a limit that somebody gave, and no other", function()
      local path = file()
      local limited = support.client(gateway, { max_response_bytes = 1000 })
      local reply, err = limited:request({ path = "/v1/audio/speech", body = { bytes = 2000 }, into = path })
      assert.is_nil(reply)
      assert.matches("max_response_bytes", err.message)
      assert.is_nil(content(path))
    end)
  end)

  it("of 100 MB takes no memory, up or down #timed #long", function()
    local size, path = 100 * 2 ^ 20, file()
    collectgarbage()
    local before = memory()
    local highest = before
    local function look() highest = math.max(highest, memory()) end
    local reply = llm.assert(client:request({ path = "/v1/audio/speech", body = { bytes = size }, into = path,
      on_progress = look }))
    assert.same(size, reply.bytes)
    local down = highest - before
    reply = llm.assert(upload({ file = { path = path } }, { on_progress = look, timeout = 60 }))
    assert.same(size, reply.parts[1].bytes)
    assert.is_true(highest - before < 8 * 2 ^ 20, ("%d bytes down, %d in all"):format(down, highest - before))
    assert.is_truthy(json)
  end)
end)
