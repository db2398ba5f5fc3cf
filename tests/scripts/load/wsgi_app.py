"""Mail in each request, while a thread of each worker changes what the shared context allows."""
import smtplib
import ssl
import threading
from urllib.parse import parse_qs

shared = ssl._create_unverified_context()
started = threading.Lock()


def keep_changing():
    while True:
        shared.maximum_version = ssl.TLSVersion.TLSv1_2
        shared.minimum_version = ssl.TLSVersion.TLSv1
        shared.options |= ssl.OP_NO_TLSv1_3
        shared.options &= ~ssl.OP_NO_TLSv1_3
        shared.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED


def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    if started.acquire(blocking=False):
        threading.Thread(target=keep_changing, daemon=True).start()
    with smtplib.SMTP_SSL(query["host"][0], int(query["port"][0]), context=shared) as client:
        client.sendmail("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\n")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"sent\n"]
