-- The caller of the vectors and stories through examples/luajit; README.md has the protocol.
local here = arg[0]:match '^(.*/)' or './'
package.path = here .. '../../examples/luajit/?.lua;' .. package.path
local ffi = require 'ffi'
local atlas = require 'atlas_postbooking'

ffi.cdef 'struct apb_time { long s, ns; }; int clock_gettime(int clock, struct apb_time *time);'
local time = ffi.new 'struct apb_time'

--- The monotonic clock in ms.
local function now()
  ffi.C.clock_gettime(1, time)
  return tonumber(time.s) * 1000 + tonumber(time.ns) / 1e6
end

local function answer(verb, times, operation, config, request, options)
  local queue = atlas.own_queue()
  if verb == 'VALIDATE' then return atlas.validate(operation, request) end
  if verb == 'DESCRIBE' then return atlas.describe(operation ~= '' and operation or nil) end
  if verb == 'LOCAL' then return queue:wait(queue:start(nil, operation, request, options)) end
  if verb == 'FORGET' then -- clients that nobody closes
    for _ = 1, times do atlas.client(config) end
    for _ = 1, 3 do collectgarbage() end
    return ('{"live":%d}'):format(tonumber(atlas.C.apb_live_handles()))
  end
  local client, why = atlas.client(config)
  if not client then return why.reply end
  local reply
  if verb == 'READS' then
    local tags, ok, gap, ticks, last = {}, 0, 0, 0, now()
    for i = 1, times do tags[i] = queue:start(client, operation, request) end
    while #tags > 0 do
      local one = queue:wait(tags[#tags], 5)
      if one then
        if one:ok() then ok = ok + 1 end
        one:free()
        tags[#tags] = nil
      end
      local late = now() - last - 5
      if late >= 0 then gap, ticks, last = math.max(gap, late), ticks + 1, now() end
    end
    reply = ('{"ok":%d,"gapMs":%d,"ticks":%d}'):format(ok, gap, ticks)
  elseif verb == 'LEAVE' then
    queue:wait(queue:start(client, operation, request), times)
    os.exit(0, true)
  elseif verb == 'CANCEL' then
    local cancel = atlas.cancel()
    local tag = queue:start(client, operation, request, nil, cancel)
    queue:wait(tag, times)
    cancel.set()
    reply = queue:wait(tag)
    cancel.free()
  else
    for _ = 1, times do
      if reply then reply:free() end
      reply = client:reply(operation, request, options)
    end
  end
  client:close()
  return reply
end

local outcome = { unknown = 0, executed = 1, not_executed = 2, pending = 3 }
io.stdout:setvbuf 'full'
io.write 'ready\n'
io.flush()
for line in io.lines() do
  local verb, times, a, b, c, d = line:match '^(%u+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
  local texts = {}
  for i, size in ipairs { a, b, c, d } do texts[i] = size == '0' and '' or io.read(tonumber(size)) end
  local reply = answer(verb, tonumber(times), unpack(texts))
  if type(reply) == 'string' then
    io.write(('0 0 - - %d -1 0\n'):format(#reply), reply)
  else
    local json, raw = reply:json(), reply:raw()
    local head = { reply.status, outcome[reply.outcome], reply.http_status, reply.vendor_status, #json, raw and #raw or -1 }
    reply:free()
    head[7] = math.max(tonumber(atlas.C.apb_live_handles()) - 1, 0) -- the queue
    io.write(table.concat(head, ' '), '\n', json, raw or '')
  end
  io.flush()
end
