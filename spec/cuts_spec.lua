-- Answers cut at every byte: split, they must come to the same; broken off, to no lie. The pieces are reads of their
-- own (lockstep.lua); at every pair of places it is spec/native/cuts.c that cuts, driving the same C core.
local answers = require "spec.cuts_answers"
local llm = require "llm_gateway"
local lockstep = require "spec.lockstep"
local support = require "spec.support"

local REFERENCE = (os.getenv("SPEC_BUILD") or "build/5.4") == "build/5.4"
local PAIR_STRIDE = REFERENCE and 1 or 211 -- the C core is the same under every Lua

-- A value as text, whatever the order of its fields.
local function show(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for name, item in pairs(value) do table.insert(parts, tostring(name) .. "=" .. show(item)) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function ask(client, stream)
  return client:chat(support.ask("x", { stream = stream }))
end

-- What comes of a stream: {chunks (as text), text, err}.
local function read_stream(client)
  local seen = { chunks = {}, text = "" }
  local stream, err = ask(client, true)
  seen.refused = not stream
  while stream do
    local chunk
    chunk, err = stream:next()
    if not chunk then
      assert(err == select(2, stream:next()), "an error stays")
      break
    end
    local choice = chunk.choices[1]
    local call = choice and choice.delta.tool_calls
    seen.text = seen.text .. (choice and choice.delta.content or "")
    seen.arguments = call and call[1]["function"].arguments or seen.arguments
    seen.tokens = chunk.usage and chunk.usage.total_tokens or seen.tokens
    table.insert(seen.chunks, show(chunk))
  end
  seen.err = err
  return seen
end

local function read_reply(client)
  local reply, err = ask(client, false)
  if not reply then return { err = err } end
  return { text = reply:text(), tokens = reply.usage.total_tokens, chunks = { show(reply) } }
end

-- A stream of an answer that is none: one chunk, the message as its delta.
local function read_as_stream(client)
  return read_stream(client)
end

local function check_whole(answer, seen)
  assert.is_nil(seen.err)
  assert.equal(answer.text, seen.text)
  assert.equal(answer.arguments, seen.arguments)
  assert.equal(answer.tokens, seen.tokens)
end

-- ---------------------------------------------------------------------------------------------------------
-- What may come of an answer of which only the first k bytes came

-- How many chunks the client can know of, and whether the end among them is one.
local function known(answer, k, clean)
  local n, chunks, finished = answer.body(k), 0, false
  for _, event in ipairs(answer.events) do
    if n < event.seen and not (clean and n >= event.data) then break end
    if not event.chunk then return chunks, true end
    chunks = chunks + 1
    finished = finished or event.finishes
  end
  return chunks, finished or false
end

local function check_error(answer, k, seen)
  local err = seen.err
  assert.is_true(llm.is_error(err), "a normal end")
  assert.equal(k < answer.head and "connection" or answer.events and "stream" or "connection", err.kind, err.message)
  assert.is_false(err.retryable)
  assert.equal(1, err.attempts)
  assert.is_nil(err.status)
  assert.equal(seen.text or "", err.partial or "")
  assert.is_true(#err.message > 20 and not err.message:find("%(%)"), err.message)
end

local function check_stream(answer, whole, k, ending, seen)
  local clean = answer.closes and ending == "close"
  local chunks, finished = known(answer, k, clean)
  if k < answer.head then chunks, finished = 0, false end
  assert.equal(chunks, #seen.chunks)
  for position, chunk in ipairs(seen.chunks) do assert.equal(whole.chunks[position], chunk) end
  assert.equal(k < answer.head, seen.refused)
  if finished then assert.is_nil(seen.err) else check_error(answer, k, seen) end
end

local function check_reply(answer, whole, k, ending, seen)
  local enough = ending == "close" and answer.enough or #answer.wire
  if k < enough then return check_error(answer, k, seen) end
  assert.same(whole, seen)
end

-- ---------------------------------------------------------------------------------------------------------

local function at(check, k, ...)
  local ok, err = pcall(check, ...)
  if ok then return end
  error(("cut at %d: %s"):format(k, type(err) == "table" and err.message and tostring(err.message) or tostring(err)), 0)
end

local tried = 0

local function split_everywhere(room, answer, read)
  local whole = room:play({ answer.wire }, "close", read)
  check_whole(answer, whole)
  for k = 1, #answer.wire - 1 do
    tried = tried + 1
    local seen = room:play({ answer.wire:sub(1, k), answer.wire:sub(k + 1) }, "close", read)
    at(assert.same, k, whole, seen)
  end
end

local function break_off_everywhere(room, answer, read, check)
  local whole = room:play({ answer.wire }, "close", read)
  for _, ending in ipairs({ "close", "reset" }) do
    for k = 0, #answer.wire do
      tried = tried + 1
      local seen = room:play({ answer.wire:sub(1, k) }, ending, read)
      at(check, k, answer, whole, k, ending, seen)
    end
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Every pair of places

local pipes, files = {}, {}

local function start(program, answer)
  local path = support.file(answer.wire)
  files[answer.name] = path
  return assert(io.popen(("%s %s %d 2>&1"):format(program, path, PAIR_STRIDE)))
end

local list = {}
for _, some in ipairs({ answers.streams(), answers.replies() }) do
  for _, answer in ipairs(some) do
    if not answer.http_version then table.insert(list, answer) end
  end
end

describe("cut #timed #long,", function()
  -- They run while the rest of the file does.
  setup(function()
    local program = lockstep.build_with_core("cuts", "spec/native/cuts.c spec/native/peer.c")
    for _, answer in ipairs(list) do pipes[answer.name] = start(program, answer) end
  end)

  teardown(function()
    for name, pipe in pairs(pipes) do
      pipe:close()
      os.remove(files[name])
    end
  end)

  describe("an answer", function()
    local rooms = {}

    setup(function()
      for _, version in ipairs({ "1.1", "2" }) do
        rooms[version] = lockstep.open({ http_version = version, timeout = 5 })
      end
    end)

    teardown(function()
      for _, room in pairs(rooms) do room:close() end
      print(("%d cuts of one place tried"):format(tried))
    end)

    local function room_of(answer) return rooms[answer.http_version or "1.1"] end

    for _, answer in ipairs(answers.streams()) do
      it("comes to the same, split anywhere: " .. answer.name, function()
        split_everywhere(room_of(answer), answer, read_stream)
      end)

      it("is no lie, broken off anywhere: " .. answer.name, function()
        break_off_everywhere(room_of(answer), answer, read_stream, check_stream)
      end)
    end

    for _, answer in ipairs(answers.replies()) do
      for name, read in pairs({ ["asked for whole"] = read_reply, ["asked for as a stream"] = read_as_stream }) do
        it("comes to the same, split anywhere: " .. answer.name .. ", " .. name, function()
          split_everywhere(room_of(answer), answer, read)
        end)

        it("is no lie, broken off anywhere: " .. answer.name .. ", " .. name, function()
          break_off_everywhere(room_of(answer), answer, read, check_reply)
        end)
      end
    end
  end)

  describe("an answer in three pieces", function()
    for _, answer in ipairs(list) do
      it("comes to the same, whichever two places it is cut at: " .. answer.name, function()
        local text = pipes[answer.name]:read("*a")
        local tried_here = tonumber(text:match("(%d+) pairs\n$"))
        assert.is_truthy(tried_here, text)
        local places = #answer.wire - 1
        assert.equal(math.ceil(places * (places + 1) / 2 / PAIR_STRIDE), tried_here)
        assert.is_nil(text:find("failed", 1, true), text)
        if not answer.events then assert.is_truthy(text:find('"total_tokens":3}}', 1, true), text) end
        for _, event in ipairs(answer.events or {}) do
          assert.is_truthy(text:find(event.text:match("data: ([^\r\n]+)"), 1, true), text)
        end
        print(("%d pairs of places tried of %d bytes: %s"):format(tried_here, #answer.wire, answer.name))
      end)
    end
  end)
end)
