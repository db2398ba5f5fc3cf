"""The connection is made by an installed package."""
import sys

import acme_mail


@acme_mail.retrying
def notify(host, port):
    acme_mail.connect(host, port).quit()  # HERE notify


notify(*sys.argv[1:])
