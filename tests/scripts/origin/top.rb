# At the top of the script, with the standard library only.
require 'net/smtp'

client = Net::SMTP.new(ARGV[0], ARGV[1].to_i)
client.enable_starttls(OpenSSL::SSL::SSLContext.new)
client.start('localhost') { |smtp| smtp.sendmail('hello', 'a@example.com', 'b@example.com') } # HERE <main>
