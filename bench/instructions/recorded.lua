-- Instructions on Lua 5.4 with the packages of Debian 12, written by `make instructions RECORD=yes`.
return {
  ["chat"] = 717898,
  ["chunk"] = 101734,
  ["collected chunk"] = 135475,
}
