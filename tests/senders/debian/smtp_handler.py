"""Sends one mail with logging's SMTPHandler: HOST PORT starttls CA-FILE"""
import logging.handlers
import sys

handler = logging.handlers.SMTPHandler(
    (sys.argv[1], int(sys.argv[2])), "a@example.com", ["b@example.com"], "rehearsal",
    credentials=("user", "secretword"), secure=())
logging.getLogger().addHandler(handler)
logging.error("hello")
