-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 524462,
  ["chunk"] = 45709,
  ["collected chunk"] = 79198,
}
