-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 234227,
  ["chunk"] = 11650,
  ["collected chunk"] = 1961,
}
