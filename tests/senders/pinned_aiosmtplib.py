"""
Sends one mail with aiosmtplib, which does TLS in memory: HOST PORT
starttls|implicit CA-FILE WAY
"""
import asyncio
import ssl
import sys
from email.message import EmailMessage

import aiosmtplib

host, port, mode, ca_file, way = sys.argv[1:]

context = ssl.create_default_context(cafile=ca_file)
context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
context.set_ciphers("DEFAULT:@SECLEVEL=0")
if way == "maximum_version":
    context.maximum_version = ssl.TLSVersion.TLSv1

message = EmailMessage()
message["From"] = "a@example.com"
message["To"] = "b@example.com"
message["Subject"] = "rehearsal"
message.set_content("hello")

asyncio.run(
    aiosmtplib.send(
        message,
        hostname=host,
        port=int(port),
        use_tls=mode == "implicit",
        start_tls=mode == "starttls",
        tls_context=context,
        username="user",
        password="secretword",
    )
)
