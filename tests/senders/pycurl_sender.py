# Sends one mail with libcurl-gnutls, which Debian's pycurl is linked with:
# HOST PORT starttls|implicit|none CA-FILE
import io
import sys

import pycurl

host, port, mode, ca_file = sys.argv[1:5]

curl = pycurl.Curl()
scheme = 'smtps' if mode == 'implicit' else 'smtp'
curl.setopt(pycurl.URL, f'{scheme}://{host}:{port}')
curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_0)
if mode != 'none':
    curl.setopt(pycurl.USE_SSL, pycurl.USESSL_ALL)
    curl.setopt(pycurl.CAINFO, ca_file)
curl.setopt(pycurl.USERNAME, 'user')
curl.setopt(pycurl.PASSWORD, 'secretword')
curl.setopt(pycurl.MAIL_FROM, 'a@example.com')
curl.setopt(pycurl.MAIL_RCPT, ['b@example.com'])
curl.setopt(pycurl.UPLOAD, 1)
curl.setopt(pycurl.READDATA, io.BytesIO(b'Subject: rehearsal\r\n\r\nhello\r\n'))
curl.perform()
