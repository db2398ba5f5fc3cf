import ssl
import sys
import warnings

import shared_mailer

warnings.simplefilter("ignore")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.set_ciphers("DEFAULT:@SECLEVEL=0")
context.minimum_version = ssl.TLSVersion.TLSv1  # whatever the server has
shared_mailer.deliver(sys.argv[1], int(sys.argv[2]), context)
