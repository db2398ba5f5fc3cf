"""Mail from four threads for SECONDS, while two more change what the context they share allows."""
import smtplib
import ssl
import sys
import threading
import time

host, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
shared = ssl._create_unverified_context()
end = time.monotonic() + seconds
errors = []


def keep_changing():
    while time.monotonic() < end:
        shared.minimum_version = ssl.TLSVersion.TLSv1
        shared.maximum_version = ssl.TLSVersion.TLSv1_2
        shared.options |= ssl.OP_NO_TLSv1_3
        shared.options &= ~ssl.OP_NO_TLSv1_3 & ~ssl.OP_NO_TLSv1
        shared.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
        shared.minimum_version = ssl.TLSVersion.TLSv1_2
        # Not of the shared one: OpenSSL frees the old list under whoever reads it.
        ssl.SSLContext(ssl.PROTOCOL_TLSv1_2).set_ciphers("DEFAULT:@SECLEVEL=0")


def own_context():
    context = ssl._create_unverified_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def send():
    number = 0
    while time.monotonic() < end:
        number += 1
        with smtplib.SMTP_SSL(host, port, context=shared if number % 2 else own_context()) as client:
            client.sendmail("a@example.com", ["b@example.com"], "Subject: hello\r\n\r\n")


def reporting(function):
    def run():
        try:
            function()
        except Exception as error:  # a thread's own way to say it would not fail the test
            errors.append(repr(error))

    return run


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    threads = [threading.Thread(target=reporting(f)) for f in (send,) * 4 + (keep_changing,) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("errors:", errors)
