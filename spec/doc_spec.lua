-- make doc: pages as HTML, whose links lead to pages and headings that are there.
local support = require "spec.support"

local ROOM = "build/doc"

local function read(path)
  local file = io.open(path)
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

describe("the documentation as HTML #apart #long", function()
  it("has no link that leads nowhere", function()
    if not support.output_of("command -v cmark-gfm"):find("%S") then return pending("cmark-gfm is missing") end
    support.output_of("rm -rf " .. ROOM .. " && make -s doc LUA=5.4 2>&1")
    local pages = 0
    for path in support.output_of("ls " .. ROOM .. "/*.html"):gmatch("[^\n]+") do
      pages = pages + 1
      for target in read(path):gsub("src=", "href="):gmatch('href="([^"]*)"') do
        if not target:find("^https?:") then
          local file, mark = target:match("^([^#]*)#?(.*)$")
          local text = read(file == "" and path or ROOM .. "/" .. file)
          assert.is_string(text, path .. ": " .. target .. " leads nowhere")
          assert.is_true(mark == "" or text:find('id="' .. mark .. '"', 1, true) ~= nil,
            path .. ": " .. target .. " names no heading")
        end
      end
    end
    assert.is_true(pages >= 10)
  end)
end)
