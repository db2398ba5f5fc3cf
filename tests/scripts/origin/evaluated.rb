# Evaluated code has no file: the place is where it was evaluated.
require 'acme_mail'

def run_rule(rule)
  eval(rule).finish # HERE run_rule
end

run_rule('AcmeMail.connect(*ARGV)')
