# Sends one mail with Net::SMTP: PORT CA|off
require 'net/smtp'

port, authority = ARGV
checks = authority == 'off' ? {} : { ca_file: authority }
client = Net::SMTP.new('localhost', port.to_i, starttls: :always,
                       tls_verify: authority != 'off', ssl_context_params: checks)
client.start(helo: 'client.example.com') do |smtp|
  smtp.send_message("Subject: rehearsal\r\n\r\nhello\r\n", 'a@example.com', 'b@example.com')
end
