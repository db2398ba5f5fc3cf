"""Serves one session on 127.0.0.1:PORT that begins with GREETING ("": none), and writes the lines
that it took into FILE."""
import socket
import sys

port, greeting, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
listener = socket.create_server(("127.0.0.1", port))
lines = []
client, _ = listener.accept()
client.settimeout(20)
try:
    if greeting:
        client.sendall(greeting.encode() + b"\r\n")
    for line in client.makefile("rb"):
        lines.append(line.decode(errors="replace").rstrip())
        client.sendall(b"221 bye\r\n" if line.startswith(b"QUIT") else b"250 ok\r\n")
        if line.startswith(b"QUIT"):
            break
except OSError:
    pass
client.close()
with open(path, "w", encoding="utf-8") as took:
    print("\n".join(lines), file=took)
