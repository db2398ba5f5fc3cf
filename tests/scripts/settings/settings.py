"""Each way of Python to allow or force what is old, many times over, and then one mail.

HERE FUNCTION: WORDS names what the record of the line has to say; other lines leave none.
"""
import smtplib
import ssl
import sys
import warnings

warnings.simplefilter("ignore")
host, port, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class Context:
    def __init__(self):
        self.context = ssl.create_default_context()

    def bounds(self):
        self.context.minimum_version = ssl.TLSVersion.TLSv1  # HERE Context.bounds: SSL_CTX_set_min_proto_version(TLS 1.0)
        self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED  # HERE Context.bounds: SSL_CTX_set_min_proto_version(lowest)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_1  # HERE Context.bounds: SSL_CTX_set_max_proto_version(TLS 1.1)
        self.context.maximum_version = ssl.TLSVersion.TLSv1_2  # HERE Context.bounds: SSL_CTX_set_max_proto_version(TLS 1.2)

    def welcome_bounds(self):
        self.context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
        self.context.maximum_version = ssl.TLSVersion.TLSv1_3
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    def options(self):
        self.context.options |= ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1
        self.context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3  # HERE Context.options: SSL_CTX_set_options(NO_TLSv1_2|NO_TLSv1_3)
        self.context.options &= ~ssl.OP_NO_TLSv1_2 & ~ssl.OP_NO_TLSv1_3
        self.context.options &= ~ssl.OP_NO_TLSv1  # HERE Context.options: SSL_CTX_clear_options(NO_TLSv1)

    def ciphers(self):
        self.context.set_ciphers("DEFAULT")
        self.context.set_ciphers("DEFAULT:@SECLEVEL=0")  # HERE Context.ciphers: SSL_CTX_set_cipher_list(@SECLEVEL=0)
        try:
            self.context.set_ciphers("NO-SUCH-CIPHER@SECLEVEL=0")
        except ssl.SSLError:
            pass


def pinned():
    return ssl.SSLContext(ssl.PROTOCOL_TLSv1)  # HERE pinned: SSL_CTX_new(TLSv1_method)


for _ in range(times):
    pinned()
    both = Context()
    both.bounds()
    both.welcome_bounds()
    both.options()
    both.ciphers()

if port:
    client = smtplib.SMTP(host, port)
    client.starttls(context=ssl._create_unverified_context())
    client.sendmail("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\n")
    client.quit()
