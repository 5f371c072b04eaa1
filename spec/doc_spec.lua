-- make doc: pages as HTML, whose links lead to pages and headings that are there; in a browser they show well.
local browsers = require "spec.browser"
local shell = require "spec.shell"
local support = require "spec.support"

local ROOM = "build/doc"

local function pages_of(folder)
  local list = {}
  for path in support.output_of("ls " .. folder .. "/*.html"):gmatch("[^\n]+") do table.insert(list, path) end
  return list
end

-- What of a page does not show well: JavaScript that gives a list of texts.
local FAULTS = [[(() => {
  const faults = []
  if (document.documentElement.scrollWidth > innerWidth) faults.push("is wider than the window")
  for (const image of document.images) {
    if (!image.complete || !image.naturalWidth) faults.push(image.src + " shows nothing")
  }
  const ids = [...document.querySelectorAll("[id]")].map(one => one.id)
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("has two of #" + id)
  if (document.querySelectorAll("h1").length !== 1) faults.push("has not one title")
  return faults
})()]]

local FOLDER = "file://" .. support.output_of("pwd"):sub(1, -2) .. "/" .. ROOM

local MARKS = "Object.fromEntries([...document.querySelectorAll('[id]')].map(one => [one.id, true]))"
local LINKS = "[...document.links].map(link => link.href).filter(href => href.startsWith('file:'))"

describe("the documentation as HTML #apart #long", function()
  if not support.output_of("command -v cmark-gfm"):find("%S") then
    pending("cmark-gfm is missing")
    return
  end

  setup(function() support.output_of("rm -rf " .. ROOM .. " && make -s doc LUA=5.4 2>&1") end)

  it("has no link that leads nowhere", function()
    local pages = 0
    for _, path in ipairs(pages_of(ROOM)) do
      pages = pages + 1
      for target in shell.read(path):gsub("src=", "href="):gmatch('href="([^"]*)"') do
        if not target:find("^https?:") then
          local file, mark = target:match("^([^#]*)#?(.*)$")
          local text = shell.read_if_there(file == "" and path or ROOM .. "/" .. file)
          assert.is_string(text, path .. ": " .. target .. " leads nowhere")
          assert.is_true(mark == "" or text:find('id="' .. mark .. '"', 1, true) ~= nil,
            path .. ": " .. target .. " names no heading")
        end
      end
    end
    assert.is_true(pages >= 10)
  end)

  describe("in a browser", function()
    if not browsers.program() then
      pending("chromium is missing (Debian: chromium)")
      return
    end

    local browser, page
    setup(function()
      browser = browsers.start()
      page = browser:page()
    end)
    teardown(function() if browser then browser:stop() end end)

    for name, width in pairs({ wide = 1280, narrow = 360 }) do
      it("shows well in a " .. name .. " window", function()
        page:resize(width, 900)
        for _, path in ipairs(pages_of(ROOM)) do
          local file = path:match("[^/]+$")
          page:open(FOLDER .. "/" .. file)
          assert.same({}, page:evaluate(FAULTS), path .. " at " .. width)
          page:screenshot(file:gsub("%.html$", "") .. "-" .. name)
        end
      end)
    end

    it("leads on from every link", function()
      local marks, waiting, followed = {}, { FOLDER .. "/index.html" }, 0
      while waiting[1] do
        local url = table.remove(waiting)
        local file, mark = url:match("^([^#]*)#?(.*)$")
        if not marks[file] then
          page:open(file)
          marks[file] = page:evaluate(MARKS)
          for _, target in ipairs(page:evaluate(LINKS)) do table.insert(waiting, target) end
        end
        assert.is_true(mark == "" or marks[file][mark] == true, url)
        followed = followed + 1
      end
      assert.is_true(followed > 50)
    end)
  end)
end)
