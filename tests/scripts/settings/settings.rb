# Each way of Ruby, many times over, and then one mail.
require 'net/smtp'
require 'openssl'

class Contexts
  def bounds
    context = OpenSSL::SSL::SSLContext.new
    context.min_version = OpenSSL::SSL::TLS1_VERSION # HERE bounds: SSL_CTX_set_min_proto_version(TLS 1.0)
    context.max_version = :TLS1_2 # HERE bounds: SSL_CTX_set_max_proto_version(TLS 1.2)
    context.min_version = :TLS1_2
  end

  def pinned
    context = OpenSSL::SSL::SSLContext.new
    context.ssl_version = :TLSv1 # HERE pinned: SSL_CTX_set_min_proto_version(TLS 1.0) + SSL_CTX_set_max_proto_version(TLS 1.0)
  end

  def options
    context = OpenSSL::SSL::SSLContext.new
    context.options = OpenSSL::SSL::OP_NO_TLSv1_3 | OpenSSL::SSL::OP_NO_TLSv1 # HERE options: SSL_CTX_set_options(NO_TLSv1_3)
  end

  def level
    context = OpenSSL::SSL::SSLContext.new
    context.security_level = 0 # HERE level: SSL_CTX_set_security_level(0)
    context.ciphers = 'DEFAULT:@SECLEVEL=0' # HERE level: SSL_CTX_set_cipher_list(@SECLEVEL=0)
  end
end

contexts = Contexts.new
ARGV[2].to_i.times do
  contexts.bounds
  contexts.pinned
  contexts.options
  contexts.level
end
if ARGV[1].to_i > 0
  client = Net::SMTP.new(ARGV[0], ARGV[1].to_i)
  context = OpenSSL::SSL::SSLContext.new
  client.enable_starttls(context)
  client.start('localhost')
  client.finish
end
