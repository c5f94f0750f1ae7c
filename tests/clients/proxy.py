"""A reverse proxy in front of a server, as a load balancer that ends TLS would be."""

import http.client
import http.server
import threading
import urllib.parse


class Proxy:
    """Passes requests on with further headers, on a port of its own.

    `headers` is read anew for each request, so that a test may change it between two.
    """

    def __init__(self, url):
        self.headers = {}
        target = urllib.parse.urlsplit(url)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                dropped = {name.lower() for name in outer.headers} | {"connection"}
                for name, value in self.headers.items():
                    if name.lower() not in dropped:
                        connection.putheader(name, value)
                for name, value in outer.headers.items():
                    connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            do_GET = do_POST

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
