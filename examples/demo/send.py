"""Sends a message with Python's smtplib, as many an application does."""
import smtplib
import ssl
import sys

context = ssl.create_default_context()
context.check_hostname = False  # the sink's certificate is its own
context.verify_mode = ssl.CERT_NONE
context.set_ciphers("DEFAULT@SECLEVEL=0")  # TLS 1.0 and 1.1 need it with OpenSSL 3
context.minimum_version = ssl.TLSVersion.TLSv1

with smtplib.SMTP("localhost", int(sys.argv[1])) as server:
    server.starttls(context=context)
    server.sendmail("a@example.org", ["b@example.org"], sys.stdin.read())
