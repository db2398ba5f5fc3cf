"""Pinned to TLS 1.1, three calls deep: HOST PORT."""
import smtplib
import ssl
import sys
import warnings

warnings.simplefilter("ignore")


class Invoices:
    def run(self, address):
        self.deliver(address)

    def deliver(self, address):
        client = self.connect(address)
        client.sendmail("a@example.com", ["b@example.com"], "Subject: invoice\r\n\r\n")
        client.quit()

    def connect(self, address):
        context = ssl._create_unverified_context()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1  # PINNED
        client = smtplib.SMTP(*address)
        client.starttls(context=context)  # CONNECTS
        return client


Invoices().run((sys.argv[1], int(sys.argv[2])))
