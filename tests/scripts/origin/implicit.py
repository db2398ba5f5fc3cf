"""TLS from the first byte, at the top of the script."""
import smtplib
import ssl
import sys

host, port = sys.argv[1:]
context = ssl._create_unverified_context()
client = smtplib.SMTP_SSL(host, int(port), context=context)  # HERE <module>
client.quit()
