# Sends one mail with Ruby: HOST PORT starttls|implicit|none CA-FILE net/smtp|mail|openssl
host, port, mode, ca, library = ARGV
require library

def context(ca)
  context = OpenSSL::SSL::SSLContext.new
  context.min_version = OpenSSL::SSL::TLS1_VERSION
  context.ciphers = 'DEFAULT:@SECLEVEL=0'
  context.ca_file = ca
  context.verify_mode = OpenSSL::SSL::VERIFY_PEER
  context
end

case library
when 'net/smtp'
  smtp = Net::SMTP.new(host, port.to_i)
  smtp.disable_starttls
  mode == 'starttls' ? smtp.enable_starttls(context(ca)) : smtp.enable_tls(context(ca))
  smtp.start('client') do |session|
    session.send_message("Subject: rehearsal\r\n\r\nhello\r\n", 'a@example.com', 'b@example.com')
  end
when 'mail'
  Mail.defaults do
    delivery_method :smtp, address: host, port: port.to_i, ca_file: ca,
                           tls: mode == 'implicit', enable_starttls: mode == 'starttls'
  end
  Mail.deliver do
    from 'a@example.com'
    to 'b@example.com'
    subject 'rehearsal'
    body 'hello'
  end
when 'openssl'
  require 'socket'
  tls = OpenSSL::SSL::SSLSocket.new(TCPSocket.new(host, port.to_i), context(ca))
  tls.connect
  tls.gets
  ['HELO client', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA',
   "Subject: rehearsal\r\n\r\nhello\r\n.", 'QUIT'].each do |line|
    tls.write(line + "\r\n")
    raise line unless tls.gets =~ /^[23]/
  end
end
