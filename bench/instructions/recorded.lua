-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 356998,
  ["chunk"] = 36747,
  ["collected chunk"] = 51890,
}
