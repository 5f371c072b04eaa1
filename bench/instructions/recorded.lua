-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 312588,
  ["chunk"] = 12013,
  ["collected chunk"] = 2339,
}
