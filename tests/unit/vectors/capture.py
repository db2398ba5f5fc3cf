#!/usr/bin/env python3
"""Makes the vectors in this folder: handshakes of real programs, recorded by a relay.

    capture.py NAME...      makes the named vectors anew; without a name, all

Needs openssl, gnutls-cli and gnutls-serv (Debian's gnutls-bin), javac and java
(JDK 17). Client and server talk through a relay on loopback that writes down
what passes: '>' from the client, '<' from the server, in hex, after '#' lines
that say how it was made and what the programs themselves say was negotiated.
"""
import os, re, select, socket, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "mail.example.org"
SAYS = re.compile(
    r"^(New, |Reused, |Java|    Protocol  :|    Cipher    :|Early data was [ar]|- Description:"
    r"|.*:error:.*alert|.*[vV]erif.*fail|Exception |Server Temp Key).*", re.M)

OPENSSL_SERVER = "openssl s_server -quiet -accept {server} -cert {dir}/ec.pem -key {dir}/ec.key"
WEAK = " -cipher ALL:@SECLEVEL=0"
OPENSSL = "openssl s_client -connect 127.0.0.1:{relay} -servername " + NAME
GNUTLS = "gnutls-cli -p {relay} 127.0.0.1 --no-ca-verification --sni-hostname " + NAME
GNUTLS_ONLY = " --priority NORMAL:-VERS-ALL:+VERS-TLS%s:+SHA1:+SIGN-ALL:%%VERIFY_ALLOW_BROKEN"
GNUTLS_SERVER = ("gnutls-serv -q --echo -p {server} --x509certfile {dir}/ec.pem"
                 " --x509keyfile {dir}/ec.key")
JAVA = "java -cp {dir} Client {relay} %s " + NAME
ALL = "TLSv1.3,TLSv1.2,TLSv1.1,TLSv1"
TICKET = " -sess_out {dir}/session"
RESUME = " -sess_in {dir}/session"

# name: (server, client, how many turns of the conversation belong to the handshake[,
#        a client that has to come first, to get a session])
VECTORS = {}
for v, o, j in (("1.0", "-tls1", "TLSv1"), ("1.1", "-tls1_1", "TLSv1.1"),
                ("1.2", "-tls1_2", "TLSv1.2"), ("1.3", "-tls1_3", "TLSv1.3")):
    turns = 3 if v == "1.3" else 4
    VECTORS["openssl-" + v] = (OPENSSL_SERVER + WEAK, OPENSSL + WEAK + " " + o, turns)
    VECTORS["gnutls-" + v] = (OPENSSL_SERVER + WEAK, GNUTLS + GNUTLS_ONLY % v, turns)
    VECTORS["java-" + v] = (OPENSSL_SERVER + WEAK, JAVA % j + " trust", turns)
VECTORS.update({
    "java-3.0": ("java -cp {dir} Server {server} {dir}/rsa.p12", JAVA % "SSLv3" + " trust", 4),
    "java-ssl2hello": (OPENSSL_SERVER + WEAK, JAVA % "SSLv2Hello,TLSv1" + " trust", 4),
    "java-flexible": (OPENSSL_SERVER + WEAK, JAVA % ALL + " trust", 3),
    "gnutls-flexible": (GNUTLS_SERVER, GNUTLS, 3),
    "openssl-gnutls-1.2": (GNUTLS_SERVER, OPENSSL + " -tls1_2", 4),
    "openssl-rsa": (OPENSSL_SERVER.replace("ec.", "rsa.") + WEAK,
                    OPENSSL.replace(" -servername " + NAME, " -noservername") +
                    " -tls1_2 -cipher AES128-SHA:@SECLEVEL=0", 4),
    "openssl-server-limited": (OPENSSL_SERVER + WEAK + " -tls1_1", OPENSSL + WEAK, 4),
    "openssl-retry": (OPENSSL_SERVER + " -groups P-384", OPENSSL + " -groups X25519:P-384", 5),
    "openssl-client-certificate": (OPENSSL_SERVER + " -Verify 1",
                                   OPENSSL + " -cert {dir}/ec.pem -key {dir}/ec.key", 3),
    "openssl-ticket-1.2": (OPENSSL_SERVER, OPENSSL + RESUME + " -tls1_2", 3,
                           OPENSSL + TICKET + " -tls1_2"),
    # with the session that the vector before it left: the server is a new one by now
    "openssl-ticket-refused-1.2": (OPENSSL_SERVER, OPENSSL + RESUME + " -tls1_2", 4),
    "openssl-session-id-1.2": (OPENSSL_SERVER + " -no_ticket", OPENSSL + RESUME + " -tls1_2", 3,
                               OPENSSL + TICKET + " -tls1_2"),
    "openssl-ticket-1.3": (OPENSSL_SERVER, OPENSSL + RESUME, 3, OPENSSL + TICKET),
    "openssl-early-data": (OPENSSL_SERVER + " -early_data",
                           OPENSSL + RESUME + " -early_data {dir}/early", 3, OPENSSL + TICKET),
    "openssl-early-data-refused": (OPENSSL_SERVER + " -early_data -groups P-384",
                                   OPENSSL + RESUME + " -early_data {dir}/early"
                                   " -groups X25519:P-384", 5, OPENSSL + TICKET),
    "openssl-protocol-version": (OPENSSL_SERVER + " -tls1_3", OPENSSL + WEAK + " -tls1", 9),
    "openssl-handshake-failure": (OPENSSL_SERVER.replace("ec.", "rsa.") + WEAK,
                                  OPENSSL + " -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", 9),
    "openssl-unrecognized-name": (OPENSSL_SERVER + " -servername other.example -cert2 {dir}/ec.pem"
                                  " -key2 {dir}/ec.key", OPENSSL + " -tls1_2", 4),
    "openssl-untrusted-1.2": (OPENSSL_SERVER, OPENSSL + " -verify_return_error -tls1_2", 9),
    "openssl-untrusted-1.3": (OPENSSL_SERVER, OPENSSL + " -verify_return_error", 9),
    "openssl-ccm8": (OPENSSL_SERVER + " -ciphersuites TLS_AES_128_CCM_8_SHA256",
                     OPENSSL + " -ciphersuites TLS_AES_128_CCM_8_SHA256", 3),
    "gnutls-untrusted-1.3": (OPENSSL_SERVER, GNUTLS.replace("--no-ca-verification ", ""), 9),
    "gnutls-untrusted-ccm8": (OPENSSL_SERVER + " -ciphersuites TLS_AES_128_CCM_8_SHA256",
                              GNUTLS.replace("--no-ca-verification ", "") + " --priority"
                              " NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM-8", 9),
    "java-untrusted-1.2": (OPENSSL_SERVER, JAVA % "TLSv1.2", 9),
    "java-untrusted-1.3": (OPENSSL_SERVER, JAVA % "TLSv1.3", 9),
})


def run(command):
    return subprocess.Popen(command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not listen")


def prepare(place):
    for kind, new in (("ec", "ec -pkeyopt ec_paramgen_curve:P-256"), ("rsa", "rsa:2048")):
        subprocess.run(f"openssl req -x509 -newkey {new} -nodes -days 3650 -subj /CN={NAME}"
                       f" -keyout {place}/{kind}.key -out {place}/{kind}.pem".split(),
                       check=True, capture_output=True)
    subprocess.run(f"openssl pkcs12 -export -in {place}/rsa.pem -inkey {place}/rsa.key"
                   f" -out {place}/rsa.p12 -passout pass:secret".split(), check=True)
    subprocess.run(["javac", "-d", place, HERE + "/Client.java", HERE + "/Server.java"], check=True)
    with open(place + "/early", "w") as early:
        early.write("EHLO early.example.org\r\n" * 4)


def relay(client, server):
    """Passes bytes until both ends are quiet; returns the turns of the conversation."""
    turns, open_ends = [], {client: (">", server), server: ("<", client)}
    while open_ends:
        ready, _, _ = select.select(list(open_ends), [], [], 1.5)
        if not ready:
            break
        for end in ready:
            direction, other = open_ends[end]
            try:
                data = end.recv(65536)
                if data:
                    other.sendall(data)
            except OSError:
                data = b""
            if not data:
                del open_ends[end]
            elif turns and turns[-1][0] == direction:
                turns[-1][1] += data
            else:
                turns.append([direction, data])
    return turns


def converse(command, listener, server_port, fill, farewell=None):
    client = run(command.format(**fill))
    if farewell:
        # A session whose connection was cut instead of closed is not resumed.
        threading.Timer(1, lambda: (client.stdin.write(farewell), client.stdin.flush())).start()
    near, _ = listener.accept()
    far = connect(server_port)
    turns = relay(near, far)
    near.close()
    far.close()
    said = client.communicate("")[0]
    return turns, said


def capture(name, place):
    server_command, client_command, count, *first = VECTORS[name]
    server_port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fill = {"dir": place, "server": server_port, "relay": listener.getsockname()[1]}
        server = run(server_command.format(**fill))
        time.sleep(1)
        try:
            for command in first:
                converse(command, listener, server_port, fill, "Q\n")
            turns, said = converse(client_command, listener, server_port, fill)
        finally:
            server.kill()
    said += server.communicate()[0]
    with open(f"{HERE}/{name}.txt", "w") as out:
        clean = {"dir": ".", "server": "PORT", "relay": "RELAY"}
        for command in [server_command, *first, client_command]:
            print("#", command.format(**clean), file=out)
        for line in dict.fromkeys(m.group(0).strip() for m in SAYS.finditer(said)):
            print("# says:", re.sub("^[0-9A-F]+:error", "error", line), file=out)
        for direction, data in turns[:count]:
            for i in range(0, len(data), 56):
                print(direction, data[i:i + 56].hex(), file=out)
    print(name, [(d, len(b)) for d, b in turns])


def main():
    with tempfile.TemporaryDirectory() as place:
        prepare(place)
        for name in sys.argv[1:] or VECTORS:
            capture(name, place)


main()
