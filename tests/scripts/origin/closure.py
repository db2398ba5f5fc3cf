"""A closure that is handed to the standard library and called from there."""
import functools
import smtplib
import ssl
import sys


def sender(host, port):
    context = ssl._create_unverified_context()

    def send(client, _):
        client.starttls(context=context)  # HERE sender.<locals>.send
        return client

    return functools.reduce(send, [None], smtplib.SMTP(host, int(port)))


sender(*sys.argv[1:]).quit()
