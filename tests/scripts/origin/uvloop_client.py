"""aiosmtplib under uvloop, which sets TLS up in a callback: no coroutine is on the stack."""
import asyncio
import ssl
import sys

import aiosmtplib
import uvloop


async def deliver(host, port):
    client = aiosmtplib.SMTP(hostname=host, port=int(port), use_tls=False, start_tls=False)
    await client.connect()
    await client.starttls(tls_context=ssl._create_unverified_context())
    await client.quit()


def main(host, port):
    uvloop.install()
    asyncio.run(deliver(host, port))  # HERE main


main(*sys.argv[1:])
