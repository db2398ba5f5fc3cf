# Sessions as the others here make them: PORT CA-FILE SESSIONS BETWEEN. Whenever BETWEEN of them are
# over it says so, and goes on once it is told to, or ends where nobody is there to tell it.
import smtplib
import ssl
import sys

port, ca_file, sessions, between = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
context = ssl.create_default_context(cafile=ca_file)
for number in range(1, sessions + 1):
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.starttls(context=context)
        server.sendmail("a@example.com", ["b@example.com"], "Subject: x\n\nx")
    if number % between == 0:
        print(number, flush=True)
        if not sys.stdin.readline():
            break
