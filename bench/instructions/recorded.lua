-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 360838,
  ["chunk"] = 36285,
  ["collected chunk"] = 51607,
}
