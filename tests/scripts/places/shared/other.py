import ssl
import sys

import shared_mailer

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = ssl.TLSVersion.TLSv1_2
shared_mailer.deliver(sys.argv[1], int(sys.argv[2]), context)
