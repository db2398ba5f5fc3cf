"""As many SMTP sessions at once as are asked for, in the clear.

sessions.py serve PORTFILE: a server with an account of its own, printed when it is ended by
SIGTERM. It writes its port to PORTFILE when it listens.

sessions.py send PORT COUNT: opens them all, and only when each has been greeted sends a mail over
each. Prints how many servers said 250 to it, and how many connections were ended instead.
"""
import asyncio
import os
import resource
import select
import signal
import socket
import sys

LINES = {b"EHLO": b"250 here", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go on",
         b"QUIT": b"221 bye"}
MAIL = (b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
        b"Subject: rehearsal\r\n\r\nhello\r\n.\r\nQUIT\r\n")
ANSWERS = 5  # to MAIL


def raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Session(asyncio.Protocol):
    account = {"sessions": 0, "at once": 0, "mails": 0}
    now = 0

    def connection_made(self, transport):
        self.transport = transport
        self.rest = b""
        self.in_data = False
        self.account["sessions"] += 1
        Session.now += 1
        self.account["at once"] = max(self.account["at once"], Session.now)
        transport.write(b"220 here\r\n")

    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\r\n")
        self.transport.write(b"".join(self.answer(line) + b"\r\n" for line in lines
                                      if not self.is_of_message(line)))

    def is_of_message(self, line):
        if not self.in_data or line == b".":
            return False
        return True

    def answer(self, line):
        if line == b".":
            self.in_data = False
            return b"250 taken"
        self.in_data = line == b"DATA"
        self.account["mails"] += line.startswith(b"MAIL")
        return LINES[line[:4]]

    def connection_lost(self, _):
        Session.now -= 1


async def serve(port_file):
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    server = await loop.create_server(Session, "127.0.0.1", 0, backlog=20000)
    with open(port_file + ".new", "w") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    os.rename(port_file + ".new", port_file)
    await over.wait()
    print(", ".join(f"{name}: {count}" for name, count in Session.account.items()))


def dial(port, number):
    # From several addresses of this machine, so that there are ports enough.
    connection = socket.socket()
    connection.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    connection.bind((f"127.0.1.{number % 8 + 1}", 0))
    connection.connect(("127.0.0.1", port))
    connection.setblocking(False)
    return connection


def read_replies(waiting, poll, replies):
    """Until each of `waiting` has said so many lines; those that ended instead are returned."""
    ended = []
    seen = dict.fromkeys(waiting, 0)
    while seen:
        for fd, _ in poll.poll():
            try:
                data = waiting[fd].recv(4096)
            except OSError:
                data = b""
            seen[fd] += data.count(b"\n")
            if data and seen[fd] < replies:
                continue
            if not data:
                ended.append(fd)
            poll.unregister(fd)
            del seen[fd]
    return ended


def send(port, count):
    connections = {}
    poll = select.epoll()
    for number in range(count):
        connection = dial(port, number)
        connections[connection.fileno()] = connection
        connection.send(b"EHLO client\r\n")
        poll.register(connection, select.EPOLLIN)
    assert not read_replies(connections, poll, 2)
    refused = 0
    sent = {}
    for fd, connection in connections.items():
        try:
            connection.send(MAIL)
            sent[fd] = connection
            poll.register(connection, select.EPOLLIN)
        except OSError:
            refused += 1
    refused += len(read_replies(sent, poll, ANSWERS))
    print(f"delivered: {count - refused}, refused: {refused}")


raise_limit()
if sys.argv[1] == "serve":
    asyncio.run(serve(sys.argv[2]))
else:
    send(int(sys.argv[2]), int(sys.argv[3]))
