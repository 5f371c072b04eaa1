-- house_rules.lua: what house_spec.lua holds the source against, as data.

local M = {}

-- C by floors: a file may include headers of its own floor and of those below. A star stands for any ending; the
-- lowest floor that names a file has it.
M.floors = {
  [0] = "buffer clock file json* list mem platform* sink sse* visibility",
  [1] = "failure form header_lines loop loop_idle poller* readiness* socket* transfer*",
  [2] = "l*",
}

-- What a floor may not include, as patterns of what stands in #include <...>.
M.closed = { [0] = { "^curl/", "^lua", "^lauxlib" }, [1] = { "^lua", "^lauxlib" }, [2] = {} }

-- Lua by rooms: what the modules of a room may require, besides the room's own. A room is a folder; a module beside
-- the folders is a room of its own. `core` is the C module.
M.rooms = {
  init = "client errors helpers json loop reply request version",
  client = "call core errors gateways helpers http json loop options reply request secrets version",
  helpers = "call core errors http json loop reply request secrets",
  call = "core errors gateways http json loop reply secrets sse version",
  reply = "call core errors gateways helpers http json loop secrets",
  request = "core errors gateways http json names options secrets version",
  options = "core gateways http loop names request secrets",
  errors = "core gateways http json secrets",
  gateways = "errors http json names",
  secrets = "core http json",
  loop = "core errors request",
  sse = "core",
  http = "core errors json",
  json = "core",
  version = "", names = "", types = "", lazy = "", scalars = "", schema = "http json names",
  health = "init core",
  cli = "init client core devgateway errors gateways http json loop options request secrets version",
  devgateway = "http json version", -- a process of its own, which must run without the C module
}

-- What every room may require.
M.everywhere = "lazy scalars schema"

-- Libraries of others, by the rooms that know them: names as in `require`.
M.others = {
  cli = "argparse", health = "health", json = "cjson", loop = "copas cqueues cqueues.condition luv",
  devgateway = "cjson cqueues cqueues.condition cqueues.errno cqueues.signal cqueues.socket ffi "
    .. "http.h2_error http.headers http.server http.tls http.util openssl.pkey openssl.rand openssl.ssl.context "
    .. "openssl.x509 openssl.x509.chain posix.sys.socket",
}

-- Programs, which run where they are required.
M.programs = { ["llm_gateway.devgateway.main"] = true, ["llm_gateway.cli.main"] = true }

-- The longest that a file or a function may be, in lines.
M.longest = { c = { file = 480, func = 50 }, lua = { file = 300, func = 50 } }

-- Files of declarations alone, which nobody reads from end to end.
M.declarations = { ["lua/llm_gateway/types/llm_gateway.lua"] = true }

-- Words that belong in no file: paths of one machine, marks of what is unfinished, numbers of a tracker. The classes
-- of one letter keep this list from finding itself.
M.forbidden = { "/wor[k]/", "/roo[t]/", "/hom[e]/[a-z]", "TOD[O]", "FIXM[E]", "[Ii]ssue [#]?[0-9]{1,3}([^0-9]|$)" }

return M
