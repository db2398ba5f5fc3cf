"""Takes whatever the server has: HOST PORT."""
import smtplib
import ssl
import sys
import warnings

warnings.simplefilter("ignore")


def remind(host, port):
    context = ssl._create_unverified_context()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    with smtplib.SMTP(host, port) as client:
        client.starttls(context=context)  # CONNECTS
        client.sendmail("a@example.com", ["b@example.com"], "Subject: reminder\r\n\r\n")


remind(sys.argv[1], int(sys.argv[2]))
