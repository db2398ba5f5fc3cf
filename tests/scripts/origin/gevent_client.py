"""gevent's greenlets, with the standard library patched."""
from gevent import monkey

monkey.patch_all()

import smtplib
import ssl
import sys

import gevent


def send(host, port):
    client = smtplib.SMTP(host, int(port))
    client.starttls(context=ssl._create_unverified_context())  # HERE send
    client.quit()


gevent.joinall([gevent.spawn(send, *sys.argv[1:]) for _ in range(3)], raise_error=True)
