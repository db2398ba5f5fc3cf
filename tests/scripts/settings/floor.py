"""Welcome at the floor 1.2, and not at 1.3."""
import smtplib
import ssl
import sys

context = ssl._create_unverified_context()
context.minimum_version = ssl.TLSVersion.TLSv1_1
context.minimum_version = ssl.TLSVersion.TLSv1_2
smtplib.SMTP_SSL(sys.argv[1], int(sys.argv[2]), context=context).quit()
