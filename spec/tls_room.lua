-- tls_room.lua: certificates for the specs: an authority of our own, and what it signed.
-- Leans on openssl and a shell. Each room is a folder of its own under build/, so that specs do not meet in it.

local M = {}

local Room = {}
Room.__index = Room

-- good is for 127.0.0.1; other is for another host; expired is past its time; self signed itself; user is a client's.
-- authorities/ is the authority as a directory has it, by the hash of its name.
local MAKE = [[
set -e
mkdir -p build && room=$(mktemp -d build/tls.XXXXXX) && cd "$room"
{
  new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
  openssl req -x509 $new -keyout ca.key -out ca.pem -subj /CN=spec-authority -days 2
  sign() {
    name=$1 days=$3
    openssl req $new -keyout $name.key -out $name.csr -subj /CN=$name
    printf 'subjectAltName=%s' "$2" > $name.ext
    openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile $name.ext -days $days \
      -out $name.pem
  }
  sign good IP:127.0.0.1 2
  sign other DNS:other.example 2
  sign expired IP:127.0.0.1 -1
  sign user DNS:user.example 2
  mkdir authorities && ln -s ../ca.pem authorities/$(openssl x509 -hash -noout -in ca.pem).0
  openssl req -x509 $new -keyout self.key -out self.pem -subj /CN=self -addext subjectAltName=IP:127.0.0.1 -days 2
} >make.log 2>&1
echo "$room"
]]

-- A new room. Remove it in the file's teardown.
function M.make()
  local pipe = assert(io.popen(MAKE, "r"))
  local folder = pipe:read("*l")
  pipe:close()
  assert(folder, "no certificates: see make.log in the newest build/tls.*")
  return setmetatable({ folder = folder, ca = folder .. "/ca.pem" }, Room)
end

-- What a gateway's option `tls` wants for a certificate: "good", "other", "expired" or "self".
function Room:of(name)
  return { cert = ("%s/%s.pem"):format(self.folder, name), key = ("%s/%s.key"):format(self.folder, name) }
end

local Server = {}
Server.__index = Server

-- openssl's own server, for what the development gateway cannot be: it answers a GET with a page about the
-- connection. `flags` are s_server's. Stop it in the file's teardown; it ends by itself after a minute.
function Room:serve(name, flags)
  local command = ("exec timeout 60 openssl s_server -accept 127.0.0.1:0 -www -cert %s/%s.pem -key %s/%s.key %s 2>&1")
    :format(self.folder, name, self.folder, name, flags or "")
  local pipe = assert(io.popen("echo $$; " .. command, "r"))
  local pid, said = pipe:read("*l"), {}
  for line in pipe:lines() do
    table.insert(said, line)
    local port = line:match("^ACCEPT .*:(%d+)$")
    if port then return setmetatable({ pipe = pipe, pid = pid, url = "https://127.0.0.1:" .. port }, Server) end
  end
  error("openssl s_server: " .. table.concat(said, "\n"))
end

function Server:stop()
  os.execute("kill " .. self.pid)
  self.pipe:close()
end

-- Removes the room and all that is in it.
function Room:remove()
  os.execute("rm -r " .. self.folder)
end

return M
