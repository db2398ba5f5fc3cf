"""Sends one mail with Django: HOST PORT starttls|implicit CA-FILE"""
import sys

from django.conf import settings
from django.core.mail import send_mail

host, port, mode, _ = sys.argv[1:]
settings.configure(EMAIL_HOST=host, EMAIL_PORT=int(port), EMAIL_USE_TLS=mode == "starttls",
                   EMAIL_USE_SSL=mode == "implicit")
send_mail("rehearsal", "hello", "a@example.com", ["b@example.com"])
