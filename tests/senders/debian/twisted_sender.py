"""Sends one mail with Twisted: HOST PORT starttls|none CA-FILE"""
import io
import sys

from OpenSSL import SSL
from twisted.internet import defer, reactor, ssl
from twisted.mail.smtp import ESMTPSenderFactory

host, port, mode, _ = sys.argv[1:]


class AnyVersion(ssl.ClientContextFactory):
    method = SSL.TLS_METHOD

    def getContext(self):
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_VERSION)
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
        return context


status = 1


def ended(result):
    global status
    status = 0 if isinstance(result, tuple) else print(result) or 1
    reactor.stop()


done = defer.Deferred()
done.addBoth(ended)
factory = ESMTPSenderFactory(
    None, None, "a@example.com", ["b@example.com"],
    io.BytesIO(b"Subject: rehearsal\r\n\r\nhello\r\n"), done, retries=0,
    contextFactory=AnyVersion() if mode == "starttls" else None,
    requireTransportSecurity=mode == "starttls", requireAuthentication=False)
reactor.connectTCP(host, int(port), factory)
reactor.run()
sys.exit(status)
