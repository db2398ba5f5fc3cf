# As session.py.
require 'net/smtp'

port, ca_file, sessions, between, at_once = Integer(ARGV[0]), ARGV[1], Integer(ARGV[2]), Integer(ARGV[3]), ARGV[4].to_i
$stdout.sync = true
context = OpenSSL::SSL::SSLContext.new
context.set_params(ca_file: ca_file)

mail = lambda do |_|
  server = Net::SMTP.new('127.0.0.1', port)
  server.enable_starttls(context)
  server.start('client') { |session| session.send_message("Subject: x\n\nx", 'a@example.com', 'b@example.com') }
end

handshake = lambda do |session = nil|
  clear = TCPSocket.new('127.0.0.1', port)
  server = OpenSSL::SSL::SSLSocket.new(clear, context)
  server.sync_close = true
  server.hostname = 'localhost'
  server.session = session if session
  server.connect
  server.sysread(4)
  server.session unless session
ensure
  server&.close
end

wanted = Queue.new
over = Queue.new
at_once.times do
  Thread.new do
    Thread.current.abort_on_exception = true
    while (session = wanted.pop)
      handshake.call(session)
      over << true
    end
  end
end
between.step(sessions, between) do |number|
  if at_once.positive?
    first = handshake.call
    (between - 1).times { wanted << first }
    (between - 1).times { over.pop }
  else
    between.times(&mail)
  end
  puts number
  break unless $stdin.gets
end
