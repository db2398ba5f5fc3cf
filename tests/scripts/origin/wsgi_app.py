"""A WSGI application that sends mail while it answers: HOST and PORT are in the query."""
import smtplib
import ssl
from urllib.parse import parse_qs


def notify(host, port):
    client = smtplib.SMTP(host, int(port))
    client.starttls(context=ssl._create_unverified_context())  # HERE notify
    client.sendmail("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\n")
    client.quit()


def application(environ, start_response):
    query = parse_qs(environ["QUERY_STRING"])
    notify(query["host"][0], query["port"][0])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"sent\n"]
