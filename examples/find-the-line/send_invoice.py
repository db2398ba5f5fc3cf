"""An application that knows nothing of TLS versions."""
import sys

from mailer import Mailer

Mailer("localhost", int(sys.argv[1])).send(
    "billing@example.org", "customer@example.org", "Subject: Invoice\r\n\r\nThank you.\r\n")
