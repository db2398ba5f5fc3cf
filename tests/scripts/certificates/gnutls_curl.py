"""Sends one mail with libcurl-gnutls, which Debian's pycurl is linked with: PORT CA|off"""
import io
import sys

import pycurl

port, authority = sys.argv[1:]
curl = pycurl.Curl()
curl.setopt(pycurl.URL, f"smtp://localhost:{port}")
curl.setopt(pycurl.USE_SSL, pycurl.USESSL_ALL)
if authority == "off":
    curl.setopt(pycurl.SSL_VERIFYPEER, 0)
    curl.setopt(pycurl.SSL_VERIFYHOST, 0)
else:
    curl.setopt(pycurl.CAINFO, authority)
curl.setopt(pycurl.MAIL_FROM, "a@example.com")
curl.setopt(pycurl.MAIL_RCPT, ["b@example.com"])
curl.setopt(pycurl.UPLOAD, 1)
curl.setopt(pycurl.READDATA, io.BytesIO(b"Subject: rehearsal\r\n\r\nhello\r\n"))
curl.perform()
