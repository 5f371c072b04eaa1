-- reply/wanted.lua: the schema that an answer is to fit, by reply or stream.
-- Leans on nothing: a stream asks here, and loads structured.lua only where there is one.

return setmetatable({}, { __mode = "k" })
