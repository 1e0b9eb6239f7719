"""A repository of jars on the loopback, which can alter one of them on the way."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def mirror_of(folder: Path, *, altered: str = "") -> Generator[str]:
    """Serve the files of a folder by their names; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = folder / self.path.rsplit("/", 1)[-1]
            if not path.exists():
                self.send_error(404)
                return
            content = path.read_bytes()
            if path.name == altered:
                content = content[:-1] + bytes([content[-1] ^ 1])
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/maven/"
        finally:
            server.shutdown()
            thread.join()
