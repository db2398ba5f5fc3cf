"""
Sends one mail with Python's smtplib, in the way of code that someone limited to
an old version long ago: HOST PORT starttls|implicit CA-FILE WAY
"""
import smtplib
import ssl
import sys
import warnings

host, port, mode, ca_file, way = sys.argv[1:]
warnings.simplefilter("ignore", DeprecationWarning)


def tls_context():
    if way == "PROTOCOL_TLSv1":
        context = ssl.SSLContext(ssl.PROTOCOL_TLSv1)
        context.verify_mode = ssl.CERT_REQUIRED
    else:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.load_verify_locations(ca_file)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if way == "maximum_version":
        context.maximum_version = ssl.TLSVersion.TLSv1
    if way == "OP_NO_TLSv1_2":
        context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
    if way == "OP_NO_TLSv1_3":
        context.options |= ssl.OP_NO_TLSv1_3
    return context


if mode == "implicit":
    client = smtplib.SMTP_SSL(host, int(port), context=tls_context())
else:
    client = smtplib.SMTP(host, int(port))
    client.starttls(context=tls_context())
client.login("user", "secretword")
client.sendmail("a@example.com", ["b@example.com"], "Subject: rehearsal\r\n\r\nhello\r\n")
client.quit()
