"""Says FIRST to 127.0.0.1:PORT, and then MAIL, waiting for no more than it has to."""
import socket
import sys

server = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
first = sys.argv[2].replace("\\r\\n", "")
if sys.argv[2]:
    server.sendall(first.encode() + b"\r\n")
    server.recv(1024)
server.sendall(b"MAIL FROM:<a@example.com>\r\n")
server.recv(1024)
server.sendall(b"QUIT\r\n")
while server.recv(1024):
    pass
