# The caller of the vectors and stories through examples/ruby; README.md has the protocol.
require_relative '../../examples/ruby/atlas_postbooking'
include AtlasPostbooking

Made = Struct.new(:status, :outcome, :http_status, :vendor_status, :json, :raw)

def reads(client, times, operation, request)
  queue = AtlasPostbooking.queue
  gap = ticks = 0
  last = now
  tick = Thread.new do
    loop do
      sleep 0.005
      gap, last, ticks = [gap, now - last - 5].max, now, ticks + 1
    end
  end
  tags = Array.new(times) { queue.start(client, operation, request) }
  # Half of them in another thread, half in this one: one queue serves both.
  other = Thread.new { tags[...times / 2].count { |tag| queue.wait(tag).ok? } }
  ok = tags[times / 2..].count { |tag| queue.wait(tag).ok? } + other.value
  tick.kill
  Made.new(0, 'unknown', '-', '-', JSON.generate(ok: ok, gapMs: gap, ticks: ticks), nil)
end

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)

def cancelled(client, after, operation, request)
  cancel = Cancel.new
  Thread.new { sleep after / 1000.0; cancel.set }
  client.reply(operation, request, cancel: cancel)
end

def answer(verb, times, operation, config, request, options)
  case verb
  when 'VALIDATE' then return AtlasPostbooking.validate(operation, request)
  when 'DESCRIBE' then return AtlasPostbooking.describe(operation.empty? ? nil : operation)
  when 'FORGET'
    # Clients that nobody closes; some may still be seen on the stack.
    times.times { Client.new(config) }
    4.times { GC.start }
    return Made.new(0, 'unknown', '-', '-', JSON.generate(live: C.apb_live_handles), nil)
  when 'LOCAL'
    queue = AtlasPostbooking.queue
    return queue.wait(queue.start(nil, operation, request, options: options))
  end
  begin
    client = Client.new(config)
  rescue Error => e
    return e.reply
  end
  begin
    case verb
    when 'READS' then reads(client, times, operation, request)
    when 'LEAVE'
      AtlasPostbooking.queue.start(client, operation, request)
      sleep times / 1000.0
      exit
    when 'CANCEL' then cancelled(client, times, operation, request)
    else Array.new(times) { client.reply(operation, request, options: options) }.last
    end
  ensure
    client.close
  end
end

trap('INT') { exit! 130 }
$stdin.binmode
$stdout.binmode
$stdout.sync = true
puts 'ready'
while (line = $stdin.gets)
  verb, times, *sizes = line.split
  texts = sizes.map { |size| size == '0' ? +'' : $stdin.read(size.to_i) }
  reply = answer(verb, times.to_i, *texts)
  outcome = AtlasPostbooking::OUTCOMES.index(reply.outcome)
  json = reply.json.b
  # Cancel tokens go when they are collected; the queue stays.
  GC.start if verb == 'CANCEL'
  leaked = [C.apb_live_handles - 1, 0].max
  leaked = 0 if verb == 'CANCEL'
  head = "#{reply.status} #{outcome} #{reply.http_status} #{reply.vendor_status} #{json.bytesize} " \
         "#{reply.raw ? reply.raw.bytesize : -1} #{leaked}\n"
  $stdout.write(head.b + json + reply.raw.to_s.b)
end
