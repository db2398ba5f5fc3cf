"""Sends one mail with python3-mailer: HOST PORT starttls CA-FILE"""
import sys

from mailer import Mailer, Message

message = Message(From="a@example.com", To="b@example.com", charset="utf-8")
message.Subject = "rehearsal"
message.Body = "hello"
Mailer(sys.argv[1], port=int(sys.argv[2]), use_tls=True, usr="user",
       pwd="secretword").send(message)
