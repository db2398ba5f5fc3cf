"""Answers nginx's mail module that everybody goes on to 127.0.0.1:N, where N is the path: PORT"""
import http.server
import sys


class Authority(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Auth-Status", "OK")
        self.send_header("Auth-Server", "127.0.0.1")
        self.send_header("Auth-Port", self.path.strip("/"))
        self.end_headers()

    def log_message(self, *arguments):
        pass


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Authority).serve_forever()
