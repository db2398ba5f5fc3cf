# A gem as it is unpacked: never the answer when a script calls it.
require 'net/smtp'

module AcmeMail
  def self.connect(host, port)
    client = Net::SMTP.new(host, port.to_i)
    context = OpenSSL::SSL::SSLContext.new
    client.enable_starttls(context)
    client.start('localhost')
    client
  end

  def self.each(host, port)
    yield connect(host, port)
  end
end
