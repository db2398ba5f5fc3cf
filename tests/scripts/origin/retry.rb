# The handler of an exception tries again: $! is still there afterwards.
require 'acme_mail'

def open_securely(host, port)
  raise IOError, 'the first time'
rescue IOError => e
  client = AcmeMail.connect(host, port) # HERE open_securely
  raise 'lost' unless $!.equal?(e)

  client
end

open_securely(*ARGV).finish
