-- build.lua: doc/*.md and README.md as HTML, into the folder that is named: lua doc/build.lua build/doc
-- cmark-gfm reads the Markdown (Debian: cmark-gfm). What is done here is what it leaves out: headings that links can
-- name, links from page to page, and a frame.

local OUT = assert(arg[1], "usage: lua doc/build.lua FOLDER")

local STYLE = [[
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
nav { font-size: 0.9rem; margin-bottom: 2rem; }
nav a { margin-right: 0.8rem; }
code, pre { font: 0.9em/1.45 ui-monospace, monospace; }
pre { padding: 0.8rem 1rem; overflow-x: auto; border: 1px solid #8884; border-radius: 6px; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8884; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
img { max-width: 100%; }
]]

local PAGES = {
  { "index", "README.md", "Start" },
  { "guide", "doc/guide.md", "Guide" },
  { "reference", "doc/reference.md", "Reference" },
  { "errors", "doc/errors.md", "Errors" },
  { "hosts", "doc/hosts.md", "Hosts" },
  { "helpers", "doc/helpers.md", "Helpers" },
  { "gateways", "doc/gateways.md", "Gateways" },
  { "conformance", "doc/conformance.md", "Conformance" },
  { "coming-from", "doc/coming-from.md", "Coming from" },
  { "install", "doc/install.md", "Install" },
  { "benchmarks", "bench/README.md", "Benchmarks" },
}

-- Where files are that are no pages.
local ELSEWHERE = "https://github.com/llm-gateway/llm-gateway-lua/blob/main/"

local name_of = {} -- of a page, by its file
for _, page in ipairs(PAGES) do name_of[page[2]] = page[1] end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- The anchor that a heading has.
local function anchor(heading)
  local plain = heading:gsub("<[^>]*>", ""):gsub("&%a+;", "")
  return (plain:lower():gsub("[^%w%s_-]", ""):gsub("%s", "-"))
end

local function with_anchors(html)
  return (html:gsub("<h(%d)>(.-)</h%d>", function(level, heading)
    return ('<h%s id="%s">%s</h%s>'):format(level, anchor(heading), heading, level)
  end))
end

-- A link from one file of the checkout to another, as a link from page to page.
local function link(from, target)
  local file, mark = target:match("^([^#]*)(#?.*)$")
  if file == "" or target:find("^%a+:") then return target end
  local path = (from:match("^(.*/)") or "") .. file
  path = path:gsub("[^/]+/%.%./", "")
  if name_of[path] then return name_of[path] .. ".html" .. mark end
  return path:match("%.svg$") and path:match("[^/]+$") or ELSEWHERE .. path
end

local function with_links(html, from)
  html = html:gsub('href="([^"]*)"', function(target) return 'href="' .. link(from, target) .. '"' end)
  return (html:gsub('src="([^"]*)"', function(target) return 'src="' .. link(from, target) .. '"' end))
end

local function navigation()
  local links = {}
  for _, page in ipairs(PAGES) do table.insert(links, ('<a href="%s.html">%s</a>'):format(page[1], page[3])) end
  return "<nav>" .. table.concat(links, "\n") .. "</nav>"
end

local function write(page)
  local body = output_of("cmark-gfm --extension table --github-pre-lang --unsafe " .. page[2])
  assert(body ~= "", "cmark-gfm made nothing of " .. page[2])
  local file = assert(io.open(("%s/%s.html"):format(OUT, page[1]), "w"))
  file:write('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    ("<title>%s - llm-gateway for Lua</title>\n<style>\n%s</style>\n</head>\n<body>\n"):format(page[3], STYLE),
    navigation(), "\n", with_links(with_anchors(body), page[2]), "</body>\n</html>\n")
  file:close()
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

os.execute("mkdir -p " .. OUT .. " && cp doc/llms.txt doc/*.svg bench/*.svg " .. OUT .. " 2>/dev/null")
for i = #PAGES, 1, -1 do
  if not exists(PAGES[i][2]) then table.remove(PAGES, i) end
end
for _, page in ipairs(PAGES) do write(page) end
print(#PAGES .. " pages in " .. OUT)
