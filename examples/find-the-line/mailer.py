"""A helper as it stands in many a code base, written for a relay of long ago."""
import smtplib
import ssl


def old_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_1  # the line to be found
    return context


class Mailer:
    def __init__(self, host, port):
        self.server = smtplib.SMTP(host, port)
        self.server.starttls(context=old_context())

    def send(self, sender, recipient, text):
        self.server.sendmail(sender, [recipient], text)
        self.server.quit()
