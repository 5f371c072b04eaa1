-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 231650,
  ["chunk"] = 11873,
  ["collected chunk"] = 2131,
}
