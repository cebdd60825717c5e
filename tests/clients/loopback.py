"""Small servers of this machine that stand beside the program: a proxy that adds a prefix, and a page of another origin."""

import contextlib
import http.client
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# For one answer of the program.
SECONDS = 60
# Headers that belong to one connection.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]):
    """Serves on a free port; gives the origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS)


class Quiet(BaseHTTPRequestHandler):
    """Answers without a log."""

    def log_message(self, *_):
        pass

    def answer(self, status: int, headers: dict[str, str], body: bytes):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def prefixed(url: str, prefix: str):
    """A proxy that passes what it is asked under a prefix on to `url`, without the prefix; gives its address."""
    target = urllib.parse.urlsplit(url)

    class Proxy(Quiet):
        def do_GET(self):
            if not self.path.startswith(f"{prefix}/"):
                self.answer(404, {}, b"not under the prefix")
                return
            length = int(self.headers.get("content-length", 0))
            connection = http.client.HTTPConnection(target.hostname, target.port, timeout=SECONDS)
            with contextlib.closing(connection):
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
                connection.request(self.command, self.path.removeprefix(prefix), self.rfile.read(length), headers)
                answer = connection.getresponse()
                headers = {name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
                self.answer(answer.status, headers, answer.read())

        do_POST = do_GET

    with serving(Proxy) as origin:
        yield origin + prefix


@contextlib.contextmanager
def page():
    """An empty page; gives its origin."""

    class Page(Quiet):
        def do_GET(self):
            self.answer(200, {"content-type": "text/html"}, b"<!doctype html><title>A page</title>")

    with serving(Page) as origin:
        yield origin
