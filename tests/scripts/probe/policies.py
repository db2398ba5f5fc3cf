"""MTA-STS policies over HTTPS on 127.0.3.1, port 443: CERTIFICATE KEY. Says "ready" and stays."""
import http.server
import ssl
import sys

POLICIES = {
    "mta-sts.good.example": "version: STSv1\r\nmode: enforce\r\nmx: mx1.good.example\r\nmax_age: 600\r\n",
    "mta-sts.trial.example": "version: STSv1\nmode: testing\nmx: *.good.example\nmax_age: 600\n",
    "mta-sts.odd.example": "<html>under construction</html>",
}


class Policies(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        policy = POLICIES.get(self.headers["Host"], "").encode()
        if not policy or self.path != "/.well-known/mta-sts.txt":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(policy)))
        self.end_headers()
        self.wfile.write(policy)

    def log_message(self, *arguments):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server = http.server.ThreadingHTTPServer(("127.0.3.1", 443), Policies)
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
