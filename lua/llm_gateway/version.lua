-- version.lua: the version of this library, as its rock and its User-Agent have it.
-- Leans on nothing.

return "0.1.0"
