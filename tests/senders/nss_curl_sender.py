# Sends one mail with libcurl-nss, called by ctypes: HOST PORT starttls|implicit|none
import ctypes
import sys

# curl/curl.h
URL = 10002
READFUNCTION = 20012
USERNAME = 10173
PASSWORD = 10174
SSLVERSION = 32
TLSV1_0 = 4
UPLOAD = 46
SSL_VERIFYPEER = 64
SSL_VERIFYHOST = 81
USE_SSL = 119
USESSL_ALL = 3
MAIL_FROM = 10186
MAIL_RCPT = 10187

host, port, mode = sys.argv[1:4]
message = b'Subject: rehearsal\r\n\r\nhello\r\n'
curl = ctypes.CDLL('libcurl-nss.so.4')
curl.curl_easy_init.restype = ctypes.c_void_p
curl.curl_slist_append.restype = ctypes.c_void_p
curl.curl_easy_strerror.restype = ctypes.c_char_p


@ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t,
                  ctypes.c_void_p)
def read(buffer, size, count, _):
    global message
    part = message[:size * count]
    message = message[len(part):]
    ctypes.memmove(buffer, part, len(part))
    return len(part)


def set_option(option, value):
    if curl.curl_easy_setopt(handle, option, value) != 0:
        sys.exit(f'option {option} is not known')


handle = ctypes.c_void_p(curl.curl_easy_init())
scheme = 'smtps' if mode == 'implicit' else 'smtp'
set_option(URL, f'{scheme}://{host}:{port}'.encode())
set_option(SSLVERSION, ctypes.c_long(TLSV1_0))
if mode != 'none':
    set_option(USE_SSL, ctypes.c_long(USESSL_ALL))
    # NSS trusts no certificate that is a server's and its own authority's at once: no check here.
    set_option(SSL_VERIFYPEER, ctypes.c_long(0))
    set_option(SSL_VERIFYHOST, ctypes.c_long(0))
set_option(USERNAME, b'user')
set_option(PASSWORD, b'secretword')
set_option(MAIL_FROM, b'a@example.com')
set_option(MAIL_RCPT, ctypes.c_void_p(curl.curl_slist_append(None, b'b@example.com')))
set_option(UPLOAD, ctypes.c_long(1))
set_option(READFUNCTION, read)
result = curl.curl_easy_perform(handle)
curl.curl_easy_cleanup(handle)
if result != 0:
    sys.exit(curl.curl_easy_strerror(result).decode())
