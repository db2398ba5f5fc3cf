# As session.py.
require 'net/smtp'

port, ca_file, sessions, between = Integer(ARGV[0]), ARGV[1], Integer(ARGV[2]), Integer(ARGV[3])
$stdout.sync = true
context = OpenSSL::SSL::SSLContext.new
context.set_params(ca_file: ca_file)
(1..sessions).each do |number|
  server = Net::SMTP.new('127.0.0.1', port)
  server.enable_starttls(context)
  server.start('client') { |session| session.send_message("Subject: x\n\nx", 'a@example.com', 'b@example.com') }
  next unless (number % between).zero?

  puts number
  break unless $stdin.gets
end
