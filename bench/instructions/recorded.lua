-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 357285,
  ["chunk"] = 39867,
  ["collected chunk"] = 54981,
}
