# Sends one mail with Ruby's Net::SMTP: HOST PORT starttls|implicit|none CA-FILE
require 'net/smtp'
require 'openssl'

host, port, mode, ca_file = ARGV

def tls_context(ca_file)
  context = OpenSSL::SSL::SSLContext.new
  context.set_params(ca_file: ca_file, min_version: OpenSSL::SSL::TLS1_VERSION)
  context.security_level = 0
  context
end

client = Net::SMTP.new(host, port.to_i, tls: false, starttls: false)
client.enable_tls(tls_context(ca_file)) if mode == 'implicit'
client.enable_starttls(tls_context(ca_file)) if mode == 'starttls'
client.start(helo: 'client', user: 'user', secret: 'secretword', authtype: :plain) do |session|
  session.send_message("Subject: rehearsal\r\n\r\nhello\r\n", 'a@example.com', ['b@example.com'])
end
