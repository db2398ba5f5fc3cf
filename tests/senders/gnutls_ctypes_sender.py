# Sends one mail with GnuTLS called by ctypes, as python-gnutls calls it:
# HOST PORT starttls|implicit|none CA-FILE|off
import ctypes
import re
import socket
import sys

CLIENT = 2
CRD_CERTIFICATE = 1
X509_FMT_PEM = 1
NAME_DNS = 1

host, port, mode, authority = sys.argv[1:5]
gnutls = ctypes.CDLL('libgnutls.so.30')
gnutls.gnutls_strerror.restype = ctypes.c_char_p
gnutls.gnutls_record_send.restype = ctypes.c_ssize_t
gnutls.gnutls_record_recv.restype = ctypes.c_ssize_t


def check(result):
    if result < 0:
        sys.exit(gnutls.gnutls_strerror(result).decode())
    return result


class Connection:
    def __init__(self):
        self.socket = socket.create_connection((host, int(port)))
        self.session = None

    def start_tls(self):
        self.session = ctypes.c_void_p()
        self.credentials = ctypes.c_void_p()
        name = host.encode()
        check(gnutls.gnutls_init(ctypes.byref(self.session), CLIENT))
        check(gnutls.gnutls_priority_set_direct(self.session, b'NORMAL', None))
        check(gnutls.gnutls_certificate_allocate_credentials(ctypes.byref(self.credentials)))
        check(gnutls.gnutls_credentials_set(self.session, CRD_CERTIFICATE, self.credentials))
        check(gnutls.gnutls_server_name_set(self.session, NAME_DNS, name, len(name)))
        if authority != 'off':
            check(gnutls.gnutls_certificate_set_x509_trust_file(
                self.credentials, authority.encode(), X509_FMT_PEM))
            gnutls.gnutls_session_set_verify_cert(self.session, name, 0)
        gnutls.gnutls_transport_set_int2(self.session, self.socket.fileno(), self.socket.fileno())
        check(gnutls.gnutls_handshake(self.session))

    def send(self, words):
        data = words.encode() + b'\r\n'
        if self.session:
            check(gnutls.gnutls_record_send(self.session, data, len(data)))
        else:
            self.socket.sendall(data)

    def receive(self):
        if not self.session:
            return self.socket.recv(4096)
        buffer = ctypes.create_string_buffer(4096)
        while True:
            length = gnutls.gnutls_record_recv(self.session, buffer, len(buffer))
            if length != -28:  # GNUTLS_E_AGAIN: a ticket has passed
                return buffer.raw[:check(length)]

    def reply(self):
        reply = b''
        while not re.search(rb'^\d{3} .*\r\n', reply, re.MULTILINE):
            reply += self.receive()
        if reply[:1] not in b'23':
            sys.exit(reply.decode())

    def command(self, words):
        self.send(words)
        self.reply()


connection = Connection()
if mode == 'implicit':
    connection.start_tls()
connection.reply()
connection.command('EHLO client')
if mode == 'starttls':
    connection.command('STARTTLS')
    connection.start_tls()
    connection.command('EHLO client')
connection.command('AUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==')
connection.command('MAIL FROM:<a@example.com>')
connection.command('RCPT TO:<b@example.com>')
connection.command('DATA')
connection.command('Subject: rehearsal\r\n\r\nhello\r\n.')
connection.command('QUIT')
