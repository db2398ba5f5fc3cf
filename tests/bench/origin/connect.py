"""HOST PORT COUNT: connections from under twenty calls; prints the CPU time of each, in us."""
import socket
import ssl
import sys
import time

context = ssl._create_unverified_context()
address = (sys.argv[1], int(sys.argv[2]))


def deliver(depth):
    if depth > 0:
        return deliver(depth - 1)
    with socket.create_connection(address) as plain, context.wrap_socket(plain) as client:
        client.recv(1000)
        client.send(b"QUIT\r\n")
        client.recv(1000)


def measure(count):
    start = time.process_time()
    for _ in range(count):
        deliver(20)
    return (time.process_time() - start) * 1e6 / count


measure(20)
print(measure(int(sys.argv[3])))
