"""Sends one mail with pyOpenSSL: HOST PORT implicit CA-FILE"""
import socket
import sys

from OpenSSL import SSL

host, port, _, ca_file = sys.argv[1:]

context = SSL.Context(SSL.TLS_CLIENT_METHOD)
context.set_min_proto_version(SSL.TLS1_VERSION)
context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
context.load_verify_locations(ca_file)
context.set_verify(SSL.VERIFY_PEER)
client = SSL.Connection(context, socket.create_connection((host, int(port))))
client.set_connect_state()
client.do_handshake()
client.recv(1024)
for line in ("EHLO client", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA",
             "Subject: rehearsal\r\n\r\nhello\r\n.", "QUIT"):
    client.sendall(line.encode() + b"\r\n")
    assert client.recv(1024)[:1] in b"23"
