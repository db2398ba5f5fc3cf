"""A SOCKS 4 and 4A proxy on 127.0.0.1:PORT, for the tests: no package is one alone."""
import socket
import sys
import threading


def read_text(client):
    text = b""
    while (byte := client.recv(1)) != b"\0":
        if not byte:
            break
        text += byte
    return text.decode()


def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def serve(client):
    request = client.recv(8, socket.MSG_WAITALL)
    if len(request) < 8:
        return
    read_text(client)  # the user
    host = socket.inet_ntoa(request[4:])
    if request[4:7] == b"\0\0\0":
        host = read_text(client)
    server = socket.create_connection((host, int.from_bytes(request[2:4], "big")))
    client.sendall(b"\0\x5a" + bytes(6))
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
