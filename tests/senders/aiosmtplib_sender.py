# Sends one mail with aiosmtplib: HOST PORT starttls|implicit|none CA-FILE
import asyncio
import ssl
import sys
from email.message import EmailMessage

import aiosmtplib

host, port, mode, ca_file = sys.argv[1:5]

context = ssl.create_default_context(cafile=ca_file if mode != 'none' else None)
context.minimum_version = ssl.TLSVersion.TLSv1
context.set_ciphers('DEFAULT@SECLEVEL=0')

message = EmailMessage()
message['From'] = 'a@example.com'
message['To'] = 'b@example.com'
message['Subject'] = 'rehearsal'
message.set_content('hello')

asyncio.run(
    aiosmtplib.send(
        message,
        hostname=host,
        port=int(port),
        use_tls=mode == 'implicit',
        start_tls=mode == 'starttls',
        tls_context=context,
        username='user',
        password='secretword',
    )
)
