-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 312677,
  ["chunk"] = 12588,
  ["collected chunk"] = 2365,
}
