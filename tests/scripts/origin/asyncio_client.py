"""aiosmtplib under asyncio: the coroutine is resumed by the loop."""
import asyncio
import ssl
import sys

import aiosmtplib


async def deliver(host, port):
    client = aiosmtplib.SMTP(hostname=host, port=int(port), use_tls=False, start_tls=False)
    await client.connect()
    await asyncio.sleep(0.01)
    await client.starttls(tls_context=ssl._create_unverified_context())  # HERE deliver
    await client.quit()


asyncio.run(deliver(*sys.argv[1:]))
