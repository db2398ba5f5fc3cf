"""Django's send_mail, as a view calls it."""
import sys

from django.conf import settings
from django.core.mail import send_mail

settings.configure(EMAIL_HOST=sys.argv[1], EMAIL_PORT=int(sys.argv[2]), EMAIL_USE_TLS=True)


def contact_view(text):
    send_mail("contact", text, "a@example.com", ["b@example.com"])  # HERE contact_view


contact_view("hello")
