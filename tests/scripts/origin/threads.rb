# A thread each, and a fiber in it.
require 'acme_mail'

def work
  Fiber.new { AcmeMail.connect(*ARGV).finish }.resume # HERE work
end

Array.new(4) { Thread.new { work } }.each(&:join)
