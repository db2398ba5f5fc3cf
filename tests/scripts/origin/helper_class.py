"""A helper class, three calls deep."""
import smtplib
import ssl
import sys


class Mailer:
    def __init__(self, host, port):
        self.address = (host, int(port))

    def report(self):
        self.deliver("report")

    def deliver(self, text):
        client = self.connect()
        client.sendmail("a@example.com", ["b@example.com"], "Subject: %s\r\n\r\n" % text)
        client.quit()

    def connect(self):
        client = smtplib.SMTP(*self.address)
        client.starttls(context=ssl._create_unverified_context())  # HERE Mailer.connect
        return client


Mailer(*sys.argv[1:]).report()
