-- reply/wanted.lua: the schema that an answer is to fit, by reply or stream.
-- Leans on nothing. A schema is a table with check(value), which returns a message and the path of what is wrong, or
-- nothing.

local M = {}

local schemas = setmetatable({}, { __mode = "k" })

-- Notes that `answer`, a reply or a stream, is to fit `schema` (nil: anything). Returns the answer.
function M.expect(answer, schema)
  schemas[answer] = schema
  return answer
end

-- The whole reply of a stream is to fit what the stream is to fit. Returns the reply.
function M.expect_same(stream, reply)
  return M.expect(reply, schemas[stream])
end

-- The schema that a reply is to fit, or nil.
function M.of(reply)
  return schemas[reply]
end

return M
