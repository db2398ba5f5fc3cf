"""Sends one mail with M2Crypto: HOST PORT implicit CA-FILE"""
import sys

from M2Crypto import SSL, m2

context = SSL.Context("tls")
context.set_options(m2.SSL_OP_NO_SSLv3)
context.set_cipher_list("DEFAULT:@SECLEVEL=0")
context.load_verify_locations(sys.argv[4])
client = SSL.Connection(context)
client.connect((sys.argv[1], int(sys.argv[2])))
client.recv(1024)
for line in ("EHLO client", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA",
             "Subject: rehearsal\r\n\r\nhello\r\n.", "QUIT"):
    client.send(line.encode() + b"\r\n")
    assert client.recv(1024)[:1] in b"23"
