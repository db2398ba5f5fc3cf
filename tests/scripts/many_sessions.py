#!/usr/bin/python3
"""COUNT sessions in the clear to a port of this host; and for each line of input one more.
Usage: many_sessions.py PORT COUNT"""
import smtplib
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])


def session():
    server = smtplib.SMTP("127.0.0.1", port)
    server.ehlo("client")
    server.quit()


for _ in range(count):
    session()
print("done", flush=True)
for _ in sys.stdin:
    session()
