"""A pool of threads: the stack is the thread's own."""
import smtplib
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

host, port = sys.argv[1:]


def send(number):
    client = smtplib.SMTP(host, int(port))
    client.starttls(context=ssl._create_unverified_context())  # HERE send
    client.sendmail("a@example.com", ["b@example.com"], "Subject: %d\r\n\r\n" % number)
    client.quit()


with ThreadPoolExecutor(4) as pool:
    list(pool.map(send, range(8)))
