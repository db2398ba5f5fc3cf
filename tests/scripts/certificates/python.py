"""Sends one mail, and checks the server's certificate if told by which authority: PORT CA|off"""
import smtplib
import ssl
import sys

port, authority = sys.argv[1:]
context = ssl.create_default_context(cafile=authority if authority != "off" else None)
if authority == "off":
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
client = smtplib.SMTP("localhost", int(port))
client.starttls(context=context)
client.sendmail("a@example.com", ["b@example.com"], "Subject: rehearsal\r\n\r\nhello\r\n")
client.quit()
