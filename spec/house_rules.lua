-- house_rules.lua: what house_spec.lua holds the source against, as data.

local M = {}

-- C by floors: a file may include headers of its own floor and of those below. A star stands for any ending; the
-- lowest floor that names a file has it.
M.floors = {
  [0] = "buffer clock file json* list mem platform* sink sse* visibility",
  [1] = "failure form header_lines loop loop_idle poller* readiness* request_url socket* transfer*",
  [2] = "l*",
}

-- What a floor may not include, as patterns of what stands in #include <...>.
M.closed = { [0] = { "^curl/", "^lua", "^lauxlib" }, [1] = { "^lua", "^lauxlib" }, [2] = {} }

-- Lua by rooms, from the top to the bottom: what the modules of a room require, besides the room's own. A room is a
-- folder; a module beside the folders is a room of its own. Each requires rooms below it alone; `core` is the C module,
-- below them all.
M.rooms = {
  { "health", "core init" },
  { "cli", "core devgateway gateways init" },
  { "init", "client core errors helpers json loop reply request version" },
  { "client", "call core errors helpers http loop options reply request" },
  { "helpers", "core errors json loop reply request scalars schema" },
  { "reply", "core errors gateways http json loop scalars" },
  { "request", "core errors http json names options schema secrets version" },
  { "call", "core errors http json loop sse" },
  { "options", "gateways http loop names schema" },
  { "loop", "core errors schema" },
  { "sse", "core names" },
  { "errors", "gateways http json scalars secrets" },
  { "schema", "core http json names" },
  { "devgateway", "http json" }, -- its server is a process of its own, which runs without the C module
  { "gateways", "names scalars" },
  { "secrets", "http" },
  { "http", "core scalars" },
  { "json", "core" },
  { "scalars", "" }, { "names", "" }, { "version", "" }, { "types", "" }, { "lazy", "" },
}

-- What every room may require besides.
M.everywhere = "lazy"

-- Libraries of others, by the rooms that know them: names as in `require`.
M.others = {
  cli = "argparse", health = "health", loop = "copas cqueues cqueues.condition luv",
  devgateway = "cjson cqueues cqueues.condition cqueues.errno cqueues.signal cqueues.socket ffi "
    .. "http.h2_error http.headers http.server http.tls http.util openssl.pkey openssl.rand openssl.ssl.context "
    .. "openssl.x509 openssl.x509.chain posix.sys.socket",
}

-- Programs, which run where they are required.
M.programs = { ["llm_gateway.devgateway.main"] = true, ["llm_gateway.cli.main"] = true }

-- The longest that a file or a function may be, in lines.
M.longest = { c = { file = 400, func = 30 }, lua = { file = 250, func = 30 } }

-- Files of declarations alone, which nobody reads from end to end.
M.declarations = { ["lua/llm_gateway/types/llm_gateway.lua"] = true }

-- Words that belong in no file: paths of one machine, marks of what is unfinished, numbers of a tracker. The classes
-- of one letter keep this list from finding itself.
M.forbidden = { "/wor[k]/", "/roo[t]/", "/hom[e]/[a-z]", "TOD[O]", "FIXM[E]", "[Ii]ssue [#]?[0-9]{1,3}([^0-9]|$)" }

return M
