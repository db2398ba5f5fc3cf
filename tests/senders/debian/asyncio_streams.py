"""Sends one mail with asyncio's streams: HOST PORT implicit CA-FILE"""
import asyncio
import ssl
import sys

host, port, _, ca_file = sys.argv[1:]


async def send():
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    await reader.readline()
    for line in ("HELO client", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>", "DATA",
                 "Subject: rehearsal\r\n\r\nhello\r\n."):
        writer.write(line.encode() + b"\r\n")
        assert (await reader.readline())[:1] in b"23"
    writer.write(b"QUIT\r\n")
    await reader.readline()
    writer.close()


asyncio.run(send())
