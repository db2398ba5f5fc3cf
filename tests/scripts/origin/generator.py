"""Connections from a generator, which runs when its values are asked for."""
import smtplib
import ssl
import sys


def connections(host, port):
    while True:
        client = smtplib.SMTP(host, int(port))
        client.starttls(context=ssl._create_unverified_context())  # HERE connections
        yield client


next(connections(*sys.argv[1:])).quit()
