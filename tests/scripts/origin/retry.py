"""The handler of an exception tries again: the exception is still pending."""
import smtplib
import ssl
import sys


def open_securely(host, port):
    try:
        raise smtplib.SMTPServerDisconnected("the first time")
    except smtplib.SMTPException as error:
        client = smtplib.SMTP(host, int(port))
        client.starttls(context=ssl._create_unverified_context())  # HERE open_securely
        assert sys.exc_info()[1] is error
        return client


open_securely(*sys.argv[1:]).quit()
