-- seeds.lua: writes the first inputs of the fuzz targets into spec/fuzz/corpus; run it with Lua 5.4 from the top of
-- the checkout, after `make`. What an input looks like is said in sse.c, json.lua, transfer.c and decode.lua. Findings
-- (named found-...) lie beside them and are not made here.
-- luacheck: std lua54, no max line length

package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
package.cpath = "build/5.4/?.so;" .. package.cpath
local json = require "llm_gateway.json"

local function write(target, name, bytes)
  local path = ("spec/fuzz/corpus/%s/%s"):format(target, name:lower():gsub("[^%w]+", "-"))
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

local function fixtures()
  local file = assert(io.open("spec/fixtures/errors.json", "rb"))
  local text = file:read("*a")
  file:close()
  return assert(json.decode(text)).cases
end

-- ---------------------------------------------------------------------------------------------------------
-- Streams

local function chunk(rest)
  return '{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4","choices":[{"index":0,' .. rest .. "}]}"
end

local function events(list)
  local out = {}
  for i, data in ipairs(list) do out[i] = "data: " .. data .. "\n\n" end
  return table.concat(out)
end

local CHUNKS = {
  chunk('"delta":{"role":"assistant","content":""},"finish_reason":null'), chunk('"delta":{"content":"Hello"}'),
  chunk('"delta":{"content":" \\ud83d"}'), chunk('"delta":{"content":"\\ude00"}'),
  chunk('"delta":{},"finish_reason":"stop"'),
  '{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}', "[DONE]",
}

local TOOLS = {
  chunk('"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function",'
    .. '"function":{"name":"weather","arguments":""}}]}'),
  chunk('"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"city\\":"}}]}'),
  chunk('"delta":{"tool_calls":[{"function":{"arguments":"\\"Oslo\\"}"}}]}'),
  chunk('"delta":{},"finish_reason":"tool_calls"'), "[DONE]",
}

local ANTHROPIC = table.concat({
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","role":"assistant","content":[]}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n',
  "event: ping\ndata: {\"type\": \"ping\"}\n\n",
  'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
})

local OPENAI = events(CHUNKS)

local STREAMS = {
  openai = OPENAI, tools = events(TOOLS), anthropic = ANTHROPIC, crlf = (OPENAI:gsub("\n", "\r\n")),
  cr = (ANTHROPIC:gsub("\n", "\r")), ["cut"] = OPENAI:sub(1, 500),
  fields = "\239\187\191: hello\n\nid: 7\nevent: x\nretry: 1500\ndata:a\ndata\ndata: b\n\nid\nid: a\0b\nretry: 1x\ndata: c\n\n",
  mixed = "data: a\rdata: b\r\ndata: c\n\r\n\r\rdata\n\ndata:\n\n: c\ndata: unfinished",
  bom = "\239\187data: 1\n\n\239\187\191data: 2\n\n", keepalive = ": OPENROUTER PROCESSING\n\n: x\n\ndata: [DONE]\n\n",
  ["long-comment"] = ":" .. ("x"):rep(40) .. "\ndata: 1\n\n", ["long-data"] = ("data: 12345\n"):rep(12) .. "\n",
  error = events({ CHUNKS[2], '{"error":{"message":"The server had an error","type":"server_error","code":null}}' }),
}

local function write_sse()
  for name, text in pairs(STREAMS) do
    write("sse", name, "\255\0\7\1\64\3" .. text)
    write("sse", name .. "-limited", "\20\1\1\0\2\5" .. text)
  end
end

-- ---------------------------------------------------------------------------------------------------------
-- Answers over a wire

local STREAM, HTTP2, POST, HEAD, LATE, DEAF, REFUSES = 1, 2, 4, 8, 16, 64, 128
local BY_END, BY_RESET, BY_SILENCE = 0, 1, 2

local function settings(s)
  return string.char(s.flags or 0, s.how or BY_END, s.body or 0, s.event or 0, s.clocks or 0, s.request or 0,
    s.piece or 0, 0)
end

local function operation(letters)
  return "\255" .. letters
end

local function head(status, lines)
  return ("HTTP/1.1 %s\r\n%s\r\n\r\n"):format(status, table.concat(lines, "\r\n"))
end

local function plain(status, body, more)
  local literal = body:gsub("\255", "\255\255")
  return head(status, { "Content-Type: application/json", "Content-Length: " .. #body, more }) .. literal
end

local function chunked(status, body, size, more)
  local out = { head(status, { more or "Content-Type: application/json", "Transfer-Encoding: chunked" }) }
  for at = 1, #body, size do
    local piece = body:sub(at, at + size - 1)
    table.insert(out, ("%x\r\n%s\r\n"):format(#piece, piece))
  end
  return table.concat(out) .. "0\r\n\r\n"
end

local EVENTS = "Content-Type: text/event-stream"
local REPLY = '{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"4"},"finish_reason":"stop"}]}'

local function packed(hex)
  return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function gzip(text)
  local pipe = assert(io.popen("gzip -n > build/seed.gz", "w"))
  pipe:write(text)
  pipe:close()
  local file = assert(io.open("build/seed.gz", "rb"))
  local bytes = file:read("*a")
  file:close()
  os.remove("build/seed.gz")
  return bytes
end

local function frame(kind, flags, stream, payload)
  return string.pack(">I3BBI4", #payload, kind, flags, stream) .. payload
end

-- An HTTP/2 answer: settings, the acknowledgement, a head in indexed and literal fields, data.
local function http2(body, kind, last)
  local field = "\15\16" .. string.char(#kind) .. kind -- content-type, a literal that is not indexed
  return frame(4, 0, 0, "") .. frame(4, 1, 0, "") .. frame(1, 4, 1, "\136" .. field)
    .. operation("s") .. frame(0, 0, 1, body) .. operation("s") .. (last or frame(0, 1, 1, ""))
end

local WIRES = {
  ["plain"] = { {}, plain("200 OK", REPLY) },
  ["plain post"] = { { flags = POST, request = 20 }, plain("200 OK", REPLY) },
  ["plain in pieces"] = { { piece = 3 }, plain("200 OK", REPLY) },
  ["plain short"] = { {}, plain("200 OK", REPLY):sub(1, -5) },
  ["plain reset"] = { { how = BY_RESET, flags = DEAF + POST, request = 9 }, plain("200 OK", REPLY):sub(1, -5) },
  ["plain silent"] = { { how = BY_SILENCE, clocks = 2 }, plain("200 OK", REPLY):sub(1, -5) },
  ["plain over limit"] = { { body = 40 }, plain("200 OK", REPLY) },
  ["until close"] = { {}, head("200 OK", { "Content-Type: application/json" }) .. REPLY },
  ["until close silent"] = { { how = BY_SILENCE }, head("200 OK", { "Server: x" }) .. REPLY },
  ["http 1.0"] = { {}, (head("200 OK", { "Server: x" }):gsub("1%.1", "1.0", 1)) .. REPLY },
  ["head"] = { { flags = HEAD }, head("200 OK", { "Content-Length: 1000" }) },
  ["head only"] = { {}, "HTTP/1.1 200 OK\r\nContent-Le" },
  ["no content"] = { {}, head("204 No Content", { "Server: x" }) },
  ["not modified"] = { {}, head("304 Not Modified", { "Content-Length: 9" }) },
  ["continue"] = { { flags = POST, request = 40 }, "HTTP/1.1 100 Continue\r\n\r\n" .. operation("s")
    .. plain("200 OK", REPLY) },
  ["early hints"] = { {}, head("103 Early Hints", { "Link: </x>" }) .. plain("200 OK", REPLY) },
  ["switching"] = { {}, head("101 Switching Protocols", { "Upgrade: h2c", "Connection: upgrade" }) .. "x" },
  ["redirect"] = { {}, head("302 Found", { "Location: http://127.0.0.1:2/", "Content-Length: 0" }) },
  ["error"] = { { flags = STREAM }, plain("429 Too Many", '{"detail":"Rate limit exceeded"}', "Retry-After: 60") },
  ["nothing"] = { {}, "" }, ["refused"] = { { flags = REFUSES }, "" },
  ["not http"] = { {}, "SSH-2.0-OpenSSH_9.2p1\r\n" }, ["http 0.9"] = { {}, "<html>hello</html>\n\n" },
  ["headers repeated"] = { {}, head("200 OK", { "X-A: 1", "x-a: 2", "Content-Length: 2" }) .. "{}" },
  ["headers folded"] = { {}, head("200 OK", { "X-A: 1", "  2", "Content-Length: 2" }) .. "{}" },
  ["headers huge"] = { {}, "HTTP/1.1 200 OK\r\nX-Fill: abcdefghijklmnopqrstuvwxyz0123456789\r\n"
    .. operation("*\46\90") .. "Content-Length: 2\r\n\r\n{}" },
  ["header endless"] = { {}, "HTTP/1.1 200 OK\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaa" .. operation("*\24\120") .. "\r\n\r\n" },
  ["two lengths"] = { {}, head("200 OK", { "Content-Length: 2", "Content-Length: 3" }) .. "{} " },
  ["negative length"] = { {}, head("200 OK", { "Content-Length: -1" }) .. "{}" },
  ["length and chunked"] = { {}, head("200 OK", { "Content-Length: 2", "Transfer-Encoding: chunked" })
    .. "2\r\n{}\r\n0\r\n\r\n" },
  ["chunked"] = { {}, chunked("200 OK", REPLY, 30) },
  ["chunked in pieces"] = { { piece = 1 }, chunked("200 OK", "{}", 1) },
  ["chunked short"] = { {}, chunked("200 OK", REPLY, 30):sub(1, -6) },
  ["chunked without last line"] = { {}, chunked("200 OK", REPLY, 30):sub(1, -3) },
  ["chunked cut in size"] = { { how = BY_RESET }, chunked("200 OK", REPLY, 30):sub(1, 90) },
  ["chunked trailers"] = { {}, chunked("200 OK", REPLY, 30):sub(1, -3) .. "X-Cost: 0.1\r\n\r\n" },
  ["chunked bad size"] = { {}, head("200 OK", { "Transfer-Encoding: chunked" }) .. "zz\r\n{}\r\n0\r\n\r\n" },
  ["chunked huge size"] = { {}, head("200 OK", { "Transfer-Encoding: chunked" }) .. "ffffffffffffffff1\r\n{}\r\n" },
  ["gzip"] = { {}, plain("200 OK", gzip(REPLY), "Content-Encoding: gzip") },
  ["gzip short"] = { {}, plain("200 OK", gzip(REPLY):sub(1, -9), "Content-Encoding: gzip") },
  ["gzip bomb"] = { { body = 130 }, plain("200 OK", gzip(("0"):rep(60000)), "Content-Encoding: gzip") },
  ["gzip twice"] = { {}, plain("200 OK", gzip(gzip(REPLY)), "Content-Encoding: gzip, gzip") },
  ["deflate"] = { {}, plain("200 OK", packed("ab562a2d5256b2aa05"), "Content-Encoding: deflate") },
  ["encoding unknown"] = { {}, plain("200 OK", REPLY, "Content-Encoding: rot13") },
  ["stream"] = { { flags = STREAM + POST, request = 12 }, chunked("200 OK", OPENAI, 100, EVENTS) },
  ["stream in pieces"] = { { flags = STREAM, piece = 40 }, chunked("200 OK", OPENAI, 7, EVENTS) },
  ["stream short"] = { { flags = STREAM }, chunked("200 OK", OPENAI, 100, EVENTS):sub(1, -6) },
  ["stream until close"] = { { flags = STREAM }, head("200 OK", { EVENTS }) .. OPENAI .. "data: unfinished" },
  ["stream silent"] = { { flags = STREAM, how = BY_SILENCE, clocks = 6 }, head("200 OK", { EVENTS }) .. OPENAI },
  ["stream slow"] = { { flags = STREAM, clocks = 4 }, head("200 OK", { EVENTS }) .. "data: 1\n\n" .. operation("t\3")
    .. ": ping\n\n" .. operation("t\3") .. "data: 2\n\n" },
  ["stream late"] = { { flags = STREAM + LATE }, head("200 OK", { EVENTS }) .. "data: 0123456789012345678901234567\n\n"
    .. operation("*\36\80") .. operation("s") .. operation("P") .. "data: last\n\n" },
  ["stream flood silent"] = { { flags = STREAM + LATE, how = BY_SILENCE, clocks = 2 }, head("200 OK", { EVENTS })
    .. "data: 01234567890123456789\n\n" .. operation("*\28\90") .. operation("t\9") .. operation("p") },
  ["stream event over limit"] = { { flags = STREAM, event = 10 }, head("200 OK", { EVENTS }) .. "data: ok\n\n" .. OPENAI },
  ["stream late over limit"] = { { flags = STREAM + LATE, event = 30 }, head("200 OK", { EVENTS })
    .. "data: 0123456789012345678901234567\n\n" .. operation("*\36\60") .. "data: " .. ("x"):rep(60) .. "\n\n" },
  ["stream typed oddly"] = { { flags = STREAM }, plain("200 OK", "data: 1\n\n"):gsub("application/json",
    "Text/Event-Stream; charset=utf-8", 1) },
  ["closed"] = { { flags = STREAM }, head("200 OK", { EVENTS }) .. "data: 1\n\n" .. operation("x") },
  ["freed"] = { {}, "HTTP/1.1 200 OK\r\n" .. operation("f") .. "\r\n" },
  ["released"] = { { flags = STREAM }, head("200 OK", { EVENTS, "Transfer-Encoding: chunked" }) .. "e\r\ndata: [DONE]\n\n\r\n"
    .. operation("s") .. operation("R") .. "0\r\n\r\n" .. operation("s") },
  ["released paused"] = { { flags = STREAM + LATE, how = BY_SILENCE }, head("200 OK", { EVENTS })
    .. "data: 01234567890123456789\n\n" .. operation("*\28\90") .. operation("R") .. operation("t\9") },
  ["loop freed"] = { { flags = STREAM, how = 3 }, head("200 OK", { EVENTS }) .. "data: 1\n\n" .. operation("L") },
  ["two requests"] = { {}, plain("200 OK", "{}") .. operation("s") .. operation("n") .. operation("s")
    .. plain("200 OK", "[]") },
  ["two answers to one"] = { {}, plain("200 OK", "{}") .. plain("500 No", "[]") .. operation("n") },
  ["released then next"] = { { flags = STREAM + POST, request = 3 }, head("200 OK", { EVENTS, "Transfer-Encoding: chunked" })
    .. "e\r\ndata: [DONE]\n\n\r\n" .. operation("s") .. operation("R") .. "0\r\n\r\n" .. operation("n") .. operation("s")
    .. plain("200 OK", "{}") },
  ["kept connection dies"] = { { flags = POST, request = 3 }, plain("200 OK", "{}") .. operation("s") .. operation("n")
    .. operation("c") .. operation("s") },
  ["h2"] = { { flags = HTTP2 }, http2(REPLY, "application/json") },
  ["h2 stream"] = { { flags = HTTP2 + STREAM }, http2("data: 1\n\n", "text/event-stream") },
  ["h2 reset"] = { { flags = HTTP2 }, http2(REPLY, "application/json", frame(3, 0, 1, "\0\0\0\2")) },
  ["h2 goaway"] = { { flags = HTTP2 }, http2(REPLY, "application/json", frame(7, 0, 0, ("\0"):rep(8))) },
  ["h2 cut"] = { { flags = HTTP2 }, http2(REPLY, "application/json", "") },
  ["h2 refused"] = { { flags = HTTP2 }, plain("505 No", "{}") },
}

local function write_transfer()
  for name, wire in pairs(WIRES) do write("transfer", name, settings(wire[1]) .. wire[2]) end
end

-- ---------------------------------------------------------------------------------------------------------
-- What a gateway says

local function answer(case)
  local lines = { "A" .. case.status }
  for name, value in pairs(case.headers) do table.insert(lines, name .. ": " .. value) end
  table.sort(lines, function(a, b) return #a < #b end)
  return table.concat(lines, "\n") .. "\n\n" .. case.body
end

local TEXTS = {
  ["A wait"] = 'A429\nretry-after-ms: 1500\nx-ratelimit-limit-requests: 60\nx-ratelimit-remaining-requests: 0\n'
    .. 'x-ratelimit-reset-requests: 6m0s\n\n{"error":{"message":"Rate limit reached. Please try again in 20s."}}',
  ["A date"] = "A503\nRetry-After: Wed, 21 Oct 2065 07:28:00 GMT\n\nupstream connect error",
  ["A rfc3339"] = 'A429\nratelimit: "default";r=0;t=50\nratelimit-policy: "default";q=100\n\n'
    .. '{"retry_after":"2065-01-01T00:00:01.5+01:00"}',
  ["A page"] = "A502\ncontent-type: text/html\n\n<html><head><title> 502 Bad Gateway </title></head></html>",
  ["A redirect"] = "A302\nlocation: http://x/$K\n\n", ["A empty"] = "A200\n\n",
  ["A key"] = 'A401\nx-request-id: r-$K\n\n{"error":{"message":"Incorrect API key provided: $L","$K":["$K"]}}',
  ["A key cut"] = "A500\n\n" .. ("x"):rep(290) .. "$K and more",
  ["A azure"] = 'A400\n\n{"error":{"code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation",'
    .. '"content_filter_result":{"violence":{"filtered":true}}}}}',
  ["A portkey"] = 'A446\n\n{"error":{"message":"x","type":"hooks_failed"},"hook_results":{"before_request_hooks":'
    .. '[{"id":"h","verdict":false,"deny":true}],"after_request_hooks":[]}}',
  ["A budget words"] = 'A400\n\n{"error":{"message":"ExceededBudget: over budget. Spend=0.0008, Budget=1e-04"}}',
  ["A openrouter"] = 'A429\n\n{"error":{"code":429,"metadata":{"headers":{"X-RateLimit-Remaining":"0",'
    .. '"X-RateLimit-Reset":"1741305600000"},"retry_after":7,"reasons":["hate"]}}}',
  ["A nan"] = 'A429\n\n{"error":{"message":"x","code":NaN,"retry_after":NaN,"limit":Infinity,"current":-Infinity,'
    .. '"status_code":NaN,"details":{"cooldown_seconds":Infinity}},"status":NaN,"retry_after":Infinity}',
  ["A nan status"] = 'A200\n\n{"status_code":NaN,"detail":{"message":"x","max_budget":NaN,"spend":Infinity}}',
  ["E nan"] = 'Encx\n\n{"choices":[{"index":NaN,"delta":{"content":"x"}}]}\n\n{"choices":[{"index":Infinity,"delta":'
    .. '{"tool_calls":[{"index":NaN},{"index":-Infinity,"id":"x"}]}}],"usage":{"total_tokens":NaN}}',
  ["J values"] = 'J{"a":[1,-0,2.5,1e3,1E-7,"x",null,true,[],{}],"b":{},"c":{"d":null},"messages":[],"stop":{}}',
  ["J integers"] = "J[9007199254740993,-9223372036854775808,9223372036854775808,1234567890123456789012,1e20,1e999]",
  ["J texts"] = 'J{"\\u0000":"\\ud83d\\ude00 \\ud83d \\ude00 \\\\ud83d \\/ \\"\\b\\f\\n","/":"\127\1282\237\160\128"}',
  ["J marks"] = 'J[[],"\\u0001llm_gateway:[]",["x"],1234567890123456789,"\\u0001llm_gateway:integer:5"]',
  ["J bom"] = "J\239\187\191[]", ["J deep"] = "J" .. ("["):rep(210) .. ("]"):rep(210), ["J bad"] = 'J{"a":01,}',
  ["J nan"] = "J[NaN,Infinity,-Infinity,nan,0x10]",
}

local function write_decode()
  for _, case in ipairs(fixtures()) do
    if case.request == "chat" then write("decode", "A " .. case.name, answer(case)) end
  end
  for name, text in pairs(TEXTS) do write("decode", name, text) end
  for name, text in pairs(STREAMS) do
    local bare = text:gsub("data: ?", "")
    for i, letters in ipairs({ "n", "cl", "ts", "cp" }) do
      if (#name + i) % 2 == 0 then write("decode", "E " .. letters .. " " .. name, "E" .. letters .. "\n\n" .. bare) end
    end
  end
  write("decode", "E key", "Enl\nx-request-id: $K\n\n" .. chunk('"delta":{"content":"$K"}') .. "\n\nno JSON $K")
  write("decode", "E key error", "Ecx\nx-key: $K\n\nevent: error\n$K\n\n")
  write("decode", "E legacy", 'Ecp\n\n{"choices":[{"text":"one"}]}\n\n{"choices":[{"text":" two","message":5}]}')
end

-- ---------------------------------------------------------------------------------------------------------
-- JSON alone, in pieces of a few bytes

local function write_json()
  for name, text in pairs(TEXTS) do
    if name:sub(1, 2) == "J " then write("json", name:sub(3), string.char(#name) .. text:sub(2)) end
  end
  write("json", "numbers", "\3[0.1,-1.5e-300,123456789012345678901234567890,0.000001,1e22,1e23,9007199254740993.0,5e-324]")
  write("json", "repeated", '\2{"a":1,"a":null,"\\u0061":2,"b":null,"b":{},"":[]}')
  write("json", "chunk", "\7" .. chunk('"index":0,"delta":{"content":"x\\ud83d"},"finish_reason":null'))
end

write_sse()
write_json()
write_transfer()
write_decode()
