"""File names and functions with control characters, no UTF-8 and 10,000 bytes."""
import smtplib
import ssl
import sys

SOURCE = "def %s(client, context):\n client.starttls(context=context)\n"

context = ssl._create_unverified_context()
for file, function in (
    ("/srv/\x1b[31m\n\t.py", "caf\u00e9"),
    ("/srv/\udcff\udc80.py", "plain"),
    ("/srv/\ud800.py", "plain"),
    ("/srv/" + "x" * 10000 + "/end.py", "y" * 10000),
    ("", "plain"),
):
    scope = {}
    exec(compile(SOURCE % function, file, "exec"), scope)
    client = smtplib.SMTP(sys.argv[1], int(sys.argv[2]))
    scope[function](client, context)
    client.quit()
