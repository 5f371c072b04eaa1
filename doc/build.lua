-- build.lua: doc/*.md and README.md as HTML, into the folder that is named: lua doc/build.lua build/doc
-- cmark-gfm reads the Markdown (Debian: cmark-gfm). What is done here is what it leaves out: headings that links can
-- name, links from page to page, and a frame.

local OUT = assert(arg[1], "usage: lua doc/build.lua FOLDER")

local STYLE = [[
:root { color-scheme: light dark; --line: #8884; --shade: #8881; }
* { box-sizing: border-box; }
body { display: grid; grid-template-columns: 13rem minmax(0, 60rem); gap: 0 3rem; justify-content: center; margin: 0;
  padding: 0 1.5rem; font: 16px/1.6 system-ui, sans-serif; }
main { min-width: 0; padding: 1rem 0 4rem; overflow-wrap: break-word; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 2rem 0;
  font-size: 0.9rem; }
nav a { display: block; padding: 0.15rem 0; text-decoration: none; }
nav a[aria-current] { font-weight: 600; }
nav a.heading { padding-left: 1rem; color: inherit; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; padding-top: 0.5rem; border-top: 1px solid var(--line); }
code, pre { font: 0.875em/1.5 ui-monospace, Menlo, Consolas, monospace; }
code { padding: 0.1em 0.3em; border-radius: 4px; background: var(--shade); }
pre { padding: 0.8rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px;
  font-size: 0.8125rem; }
pre code { padding: 0; background: none; font-size: inherit; }
table { display: block; width: fit-content; max-width: 100%; overflow-x: auto; border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
tr:has(th:empty):not(:has(th:not(:empty))) { display: none; }
img { max-width: 100%; }
@media (max-width: 60rem) {
  body { display: block; padding: 0 1rem; }
  nav { position: static; display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 1rem 0 0; }
  nav a.heading { display: none; }
  td code { overflow-wrap: anywhere; }
  td:last-child { min-width: 11rem; }
}
]]

local PAGES = {
  { "index", "README.md", "Home" },
  { "start", "doc/start.md", "Start" },
  { "guide", "doc/guide.md", "Guide" },
  { "reference", "doc/reference.md", "Reference" },
  { "errors", "doc/errors.md", "Errors" },
  { "hosts", "doc/hosts.md", "Hosts" },
  { "helpers", "doc/helpers.md", "Helpers" },
  { "command-line", "doc/command-line.md", "Command line" },
  { "gateways", "doc/gateways.md", "Gateways" },
  { "conformance", "doc/conformance.md", "Conformance" },
  { "coming-from", "doc/coming-from.md", "Coming from" },
  { "install", "doc/install.md", "Install" },
  { "benchmarks", "bench/README.md", "Benchmarks" },
}

local name_of = {} -- of a page, by its file
for _, page in ipairs(PAGES) do name_of[page[2]] = page[1] end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

-- Where files are that are no pages. The rockspec is the one place that says where the project lives.
local function elsewhere()
  local file = assert(io.open("llm-gateway-scm-1.rockspec"))
  local text = file:read("*a")
  file:close()
  return text:match('\nlocal home = "([^"]+)"') .. "/blob/main/"
end

local ELSEWHERE = elsewhere()

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

-- Links to all pages, and below this one's to its parts.
local function navigation(of, html)
  local links = {}
  for _, page in ipairs(PAGES) do
    local here = page == of
    table.insert(links, ('<a href="%s.html"%s>%s</a>'):format(page[1], here and ' aria-current="page"' or "", page[3]))
    for id, heading in (here and html or ""):gmatch('<h2 id="([^"]*)">(.-)</h2>') do
      table.insert(links, ('<a class="heading" href="#%s">%s</a>'):format(id, heading))
    end
  end
  return "<nav>" .. table.concat(links, "\n") .. "</nav>"
end

local function write(page)
  local body = output_of("cmark-gfm --extension table --github-pre-lang --unsafe " .. page[2])
  assert(body ~= "", "cmark-gfm made nothing of " .. page[2])
  body = with_links(with_anchors(body), page[2])
  local file = assert(io.open(("%s/%s.html"):format(OUT, page[1]), "w"))
  file:write('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    ("<title>%s - llm-gateway for Lua</title>\n<style>\n%s</style>\n</head>\n<body>\n"):format(page[3], STYLE),
    navigation(page, body), "\n<main>\n", body, "</main>\n</body>\n</html>\n")
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
