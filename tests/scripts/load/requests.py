"""Requests from four threads for SECONDS: http|fastcgi SOCKET QUERY SECONDS [SCRIPT].

Prints which answers there were, each once.
"""
import http.client
import os
import socket
import subprocess
import sys
import threading
import time

kind, path, query, seconds = sys.argv[1:5]
end = time.monotonic() + float(seconds)
answers = set()


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)


def over_http():
    connection = UnixConnection("localhost", timeout=30)
    connection.request("GET", "/?" + query)
    answer = connection.getresponse()
    answers.add(f"{answer.status} {answer.read()}")
    connection.close()


def over_fastcgi():
    run = subprocess.run(["cgi-fcgi", "-bind", "-connect", path], stdout=subprocess.PIPE, timeout=30,
                         env={"PATH": os.environ["PATH"], "REQUEST_METHOD": "GET",
                              "SCRIPT_FILENAME": sys.argv[5], "QUERY_STRING": query})
    answers.add("%d %s" % (run.returncode, run.stdout.split(b"\r\n\r\n", 1)[-1]))


def keep_asking():
    while time.monotonic() < end:
        try:
            over_http() if kind == "http" else over_fastcgi()
        except Exception as error:
            answers.add(repr(error))


threads = [threading.Thread(target=keep_asking) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(answers))
