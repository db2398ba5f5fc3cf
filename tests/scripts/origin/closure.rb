# A lambda that Ruby's own each calls, in a method.
require 'acme_mail'

def batch(host, port)
  send = ->(_) { AcmeMail.connect(host, port).finish } # HERE batch
  [1].each(&send)
end

batch(*ARGV)
