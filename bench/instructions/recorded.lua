-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 233688,
  ["chunk"] = 11015,
  ["collected chunk"] = 1913,
}
