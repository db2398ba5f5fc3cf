"""Takes connections on 127.0.0.1:PORT that begin with a PROXY preamble, of version 1 or 2, and
hands what follows it on to 127.0.0.1:SERVER, as a mail server that knows the protocol would."""
import socket
import sys
import threading

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def unwrap(client):
    start = client.recv(6, socket.MSG_WAITALL)
    if start == b"PROXY ":
        while client.recv(1) not in (b"\n", b""):
            pass
    elif start == SIGNATURE[:6]:
        rest = client.recv(10, socket.MSG_WAITALL)
        client.recv(int.from_bytes(rest[8:10], "big"), socket.MSG_WAITALL)
    else:
        return False
    return True


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    if not unwrap(client):
        client.close()
        return
    server = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
