"""A mail behind as many idle connections as the limit of descriptors allows.

idle.py PORT CA-FILE MOST: with no more than MOST descriptors. One mail in the clear, one by OpenSSL
and one by GnuTLS, both at TLS 1.0. Prints what became of each, and how many were idle.
"""
import io
import resource
import smtplib
import socket
import ssl
import sys
import warnings

import pycurl

port, authority, most = sys.argv[1:]
warnings.simplefilter("ignore", DeprecationWarning)  # of TLS 1.0
MESSAGE = "Subject: rehearsal\r\n\r\nhello\r\n"


def by_openssl():
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with smtplib.SMTP("localhost", int(port)) as client:
        client.starttls(context=context)
        client.sendmail("a@example.com", ["b@example.com"], MESSAGE)


def in_the_clear():
    with smtplib.SMTP("localhost", int(port)) as client:
        client.sendmail("a@example.com", ["b@example.com"], MESSAGE)


def by_gnutls():
    """Debian's pycurl is linked with libcurl-gnutls."""
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, f"smtp://localhost:{port}")
    curl.setopt(pycurl.USE_SSL, pycurl.USESSL_ALL)
    curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_0 | pycurl.SSLVERSION_MAX_TLSv1_0)
    curl.setopt(pycurl.CAINFO, authority)
    curl.setopt(pycurl.MAIL_FROM, "a@example.com")
    curl.setopt(pycurl.MAIL_RCPT, ["b@example.com"])
    curl.setopt(pycurl.UPLOAD, 1)
    curl.setopt(pycurl.READDATA, io.BytesIO(MESSAGE.encode()))
    curl.perform()


def open_idle(pairs):
    """Both ends are ours: of each pair one was connected, and one accepted."""
    idle = []
    listener = None
    for number in range(pairs):
        if number % 20000 == 0:  # one address has ports for no more
            listener = socket.create_server((f"127.0.2.{number // 20000 + 1}", 0))
            idle.append(listener)
        idle.append(socket.create_connection(listener.getsockname()))
        idle.append(listener.accept()[0])
    return idle


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
# Some are left for the modules that are still to be loaded, and for the mail.
kept = open_idle((min(hard, int(most)) - 40) // 2)
for by, send in (("clear", in_the_clear), ("openssl", by_openssl), ("gnutls", by_gnutls)):
    try:
        send()
        print(f"{by}: delivered")
    except (OSError, smtplib.SMTPException, pycurl.error):
        print(f"{by}: failed")
print(f"idle: {len(kept)}")
