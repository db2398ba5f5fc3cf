"""Sends one mail with smtplib under gevent: HOST PORT starttls CA-FILE"""
from gevent import monkey

monkey.patch_all()

import smtplib
import ssl
import sys

host, port, _, ca_file = sys.argv[1:]

context = ssl.create_default_context(cafile=ca_file)
context.minimum_version = ssl.TLSVersion.TLSv1
context.set_ciphers("DEFAULT:@SECLEVEL=0")
client = smtplib.SMTP(host, int(port))
client.starttls(context=context)
client.sendmail("a@example.com", ["b@example.com"], "Subject: rehearsal\r\n\r\nhello\r\n")
client.quit()
