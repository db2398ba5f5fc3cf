# HOST PORT COUNT: connections from under twenty calls; prints the CPU time of each, in us.
require 'openssl'
require 'socket'

CONTEXT = OpenSSL::SSL::SSLContext.new

def deliver(depth)
  return deliver(depth - 1) if depth > 0

  client = OpenSSL::SSL::SSLSocket.new(TCPSocket.new(ARGV[0], ARGV[1].to_i), CONTEXT)
  client.sync_close = true
  client.connect
  client.gets
  client.write("QUIT\r\n")
  client.gets
  client.close
end

def cpu
  Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
end

def measure(count)
  start = cpu
  count.times { deliver(20) }
  (cpu - start) * 1e6 / count
end

measure(20)
puts measure(ARGV[2].to_i)
