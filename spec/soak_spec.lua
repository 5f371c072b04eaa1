-- The soak itself: a short run of it, judged by its own verdict. `make soak` runs it for long.
if (os.getenv("SPEC_BUILD") or "build/5.4") ~= "build/5.4" then return end

describe("the soak #timed", function()
  it("ends every call, in time and truthfully", function()
    local pipe = assert(io.popen("timeout 60 sh bench/soak.sh 4 60 2>&1"))
    local text = pipe:read("*a")
    pipe:close()
    assert.is_truthy(text:find("every call ended, in time, truthfully; nothing grew", 1, true), text)
    assert.is_true(tonumber(text:match("(%d+) calls, %d+ a second")) > 100, text)
  end)
end)
