"""Sends one mail with Flask-Mail: HOST PORT starttls|implicit CA-FILE"""
import sys

from flask import Flask
from flask_mail import Mail, Message

host, port, mode, _ = sys.argv[1:]
app = Flask("sender")
app.config.update(MAIL_SERVER=host, MAIL_PORT=int(port), MAIL_USE_TLS=mode == "starttls",
                  MAIL_USE_SSL=mode == "implicit")
with app.app_context():
    Mail(app).send(Message("rehearsal", sender="a@example.com", recipients=["b@example.com"],
                           body="hello"))
