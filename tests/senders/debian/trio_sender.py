"""Sends one mail with trio: HOST PORT implicit CA-FILE"""
import ssl
import sys

import trio

host, port, _, ca_file = sys.argv[1:]


async def send():
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    stream = await trio.open_ssl_over_tcp_stream(host, int(port), ssl_context=context)
    await stream.receive_some(1024)
    for line in ("EHLO client", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA",
                 "Subject: rehearsal\r\n\r\nhello\r\n.", "QUIT"):
        await stream.send_all(line.encode() + b"\r\n")
        assert (await stream.receive_some(1024))[:1] in b"23"


trio.run(send)
