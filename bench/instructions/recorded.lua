-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 529722,
  ["chunk"] = 45978,
  ["collected chunk"] = 79121,
}
