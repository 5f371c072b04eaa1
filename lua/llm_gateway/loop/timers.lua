-- loop/timers.lua: a queue of things by the moment they are due: a binary heap.
-- Leans on nothing; knows neither clocks nor tasks. Equal moments come out in the order they went in.

local Timers = {}
Timers.__index = Timers

local function before(a, b)
  if a.moment ~= b.moment then return a.moment < b.moment end
  return a.order < b.order
end

-- The two sifts call nothing: a call may run out of memory, and leave an entry in no place.
local function sift_up(heap, i)
  local entry = heap[i]
  while i > 1 do
    local half = (i - i % 2) / 2
    local parent = heap[half]
    if parent.moment < entry.moment or (parent.moment == entry.moment and parent.order < entry.order) then break end
    heap[i] = parent
    i = half
  end
  heap[i] = entry
end

local function sift_down(heap, i)
  local entry = heap[i]
  while true do
    local at = 2 * i
    local child, right = heap[at], heap[at + 1]
    if not child then break end
    if right and (right.moment < child.moment or (right.moment == child.moment and right.order < child.order)) then
      child, at = right, at + 1
    end
    if entry.moment < child.moment or (entry.moment == child.moment and entry.order < child.order) then break end
    heap[i] = child
    i = at
  end
  heap[i] = entry
end

-- Files `value` under `moment` (a number). Returns the entry; setting its value to nil cancels it.
function Timers:add(moment, value)
  self.order = self.order + 1
  local entry = { moment = moment, order = self.order, value = value }
  self[#self + 1] = entry
  sift_up(self, #self)
  return entry
end

local function remove_first(heap)
  local last = table.remove(heap)
  if heap[1] then
    heap[1] = last
    sift_down(heap, 1)
  end
end

local function drop_cancelled(heap)
  while heap[1] and heap[1].value == nil do remove_first(heap) end
end

-- Takes out the first value that is due at `now`; nil when none is.
function Timers:due(now)
  drop_cancelled(self)
  local first = self[1]
  if not first or first.moment > now then return nil end
  remove_first(self)
  return first.value
end

-- When the first value is due; nil when there is none.
function Timers:next_moment()
  drop_cancelled(self)
  return self[1] and self[1].moment
end

-- Puts all in order again, should memory have run out inside another call.
function Timers:mend()
  table.sort(self, before)
end

-- An empty queue.
local function new()
  return setmetatable({ order = 0 }, Timers)
end

return { new = new }
