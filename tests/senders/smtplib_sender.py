"""Sends one mail with Python's smtplib: HOST PORT starttls|implicit|none CA-FILE"""
import smtplib
import ssl
import sys

host, port, mode, ca_file = sys.argv[1:]


def tls_context():
    """Any version, as an old configuration would have it."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


if mode == "implicit":
    client = smtplib.SMTP_SSL(host, int(port), context=tls_context())
else:
    client = smtplib.SMTP(host, int(port))
    if mode == "starttls":
        client.starttls(context=tls_context())
client.login("user", "secretword")
client.sendmail("a@example.com", ["b@example.com"], "Subject: rehearsal\r\n\r\nhello\r\n")
client.quit()
