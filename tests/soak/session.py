# Sessions as the others here make them: PORT CA-FILE SESSIONS BETWEEN [AT-ONCE]. Whenever BETWEEN of
# them are over it says so, and goes on once it is told to, or ends where nobody is there to tell it.
# With AT-ONCE they are handshakes without mail, TLS from the first byte, so many at a time; where
# that is easily had, the first of each such round is resumed by the others.
import concurrent.futures
import smtplib
import socket
import ssl
import sys

port, ca_file, sessions, between = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
at_once = int(sys.argv[5]) if len(sys.argv) > 5 else 0
context = ssl.create_default_context(cafile=ca_file)


def mail(_):
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.starttls(context=context)
        server.sendmail("a@example.com", ["b@example.com"], "Subject: x\n\nx")


def handshake(_):
    # None is resumed: Python 3.11 keeps six KiB for good whenever it is asked for a session.
    with socket.create_connection(("127.0.0.1", port)) as clear:
        with context.wrap_socket(clear, server_hostname="localhost") as server:
            assert server.recv(4)


pool = concurrent.futures.ThreadPoolExecutor(at_once) if at_once else None
for number in range(between, sessions + 1, between):
    list(pool.map(handshake, range(between)) if pool else map(mail, range(between)))
    print(number, flush=True)
    if not sys.stdin.readline():
        break
