# A helper class, three calls deep.
require 'acme_mail'

class Mailer
  def initialize(host, port)
    @address = [host, port]
  end

  def report
    deliver
  end

  def deliver
    connect.finish
  end

  def connect
    AcmeMail.connect(*@address) # HERE connect
  end
end

Mailer.new(*ARGV).report
