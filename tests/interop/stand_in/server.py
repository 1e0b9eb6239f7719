"""A server that answers kubectl as a Kubernetes API server would, over HTTP on a free port."""

import json
import re
import select
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.interop.stand_in import streams
from tests.interop.stand_in.answers import page, scale, table
from tests.interop.stand_in.kinds import DEPLOYMENT, POD, Json, discovery
from tests.interop.stand_in.objects import MERGE, Objects, Place, Refused
from tests.interop.stand_in.websocket import WebSocket, accepted

_NAMESPACE = "/api/v1/namespaces/"
_PATH = re.compile(
    r"(?P<root>/api/v1|/apis/[^/]+/[^/]+)/namespaces/(?P<namespace>[^/]+)"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<part>[^/]+))?)?"
)


@dataclass(frozen=True)
class Ran:
    """A command that a container was given."""

    pod: str
    container: str
    command: list[str]
    terminal: bool


@dataclass
class StandIn:
    objects: Objects
    # SPDY's, with which headers are compressed.
    dictionary: bytes
    ran: list[Ran] = field(default_factory=list)
    port: int = 0


@contextmanager
def serving(stand_in: StandIn) -> Generator[StandIn]:
    class Handler(_Handler):
        of = stand_in

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False
        stand_in.port = server.server_port
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: StandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answered("GET")

    def do_POST(self) -> None:
        self._answered("POST")

    def do_PATCH(self) -> None:
        self._answered("PATCH")

    def do_DELETE(self) -> None:
        self._answered("DELETE")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""

    def _answered(self, method: str) -> None:
        url = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        asked = parse_qs(url.query)
        try:
            said = self._said(url.path)
            if said is None:
                at, part = self._place(url.path)
                if part in {"exec", "portforward"}:
                    self._connected(at, part, asked)
                    return
                if "watch" in asked:
                    self._watched(at, asked)
                    return
                said = self._done(method, at, part, json.loads(sent or b"{}"), asked)
            self._say(200, said)
        except Refused as refused:
            self._say(refused.code, refused.status)

    def _place(self, path: str) -> tuple[Place, str]:
        found = _PATH.fullmatch(path)
        for each in self.of.objects.kinds:
            if found and (each.root, each.plural) == (found["root"], found["plural"]):
                return Place(each, found["namespace"], found["name"] or ""), found["part"] or ""
        raise Refused(404, "NotFound", f"the stand-in has nothing at {path}")

    def _said(self, path: str) -> Json | None:
        """What it says by itself: what there is, and of a namespace that there is one."""
        name = path.removeprefix(_NAMESPACE)
        if path == f"{_NAMESPACE}{name}" and "/" not in name:
            if name not in self.of.objects.namespaces():
                raise Refused(404, "NotFound", f'namespaces "{name}" not found')
            return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        return discovery(path, self.of.objects.kinds)

    def _done(self, method: str, at: Place, part: str, sent: Json, asked: dict[str, Any]) -> Json:
        objects = self.of.objects
        of = self.headers.get("Content-Type", "")
        if part == "scale" and at.kind == DEPLOYMENT and method == "PATCH" and of == MERGE:
            wanted = {"spec": {"replicas": sent["spec"]["replicas"]}}
            return scale(objects.patch(at, wanted, MERGE))
        if part or (at.kind == POD and method != "GET"):
            raise Refused(405, "MethodNotAllowed", f"the stand-in has no {method} of {at} {part}")
        if method == "POST":
            return objects.create(at, sent)
        if method == "PATCH":
            return objects.patch(at, sent, of)
        if method == "DELETE":
            return objects.delete(at)
        return objects.get(at) if at.name else self._listed(at, asked)

    def _listed(self, at: Place, asked: dict[str, Any]) -> Json:
        items = self._selected(at, asked)
        metadata = {"resourceVersion": "1"}
        said = {"apiVersion": at.kind.version, "kind": f"{at.kind.name}List", "metadata": metadata}
        return {**said, "items": items}

    def _selected(self, at: Place, asked: dict[str, Any]) -> list[Json]:
        found = self.of.objects.all(at.kind, at.namespace)
        for each in asked.get("labelSelector", [""])[0].split(","):
            name, _, value = each.partition("=")
            found = [one for one in found if not name or _labels(one).get(name) == value]
        for each in asked.get("fieldSelector", [""])[0].split(","):
            field_, _, value = each.partition("=")
            if field_ not in {"", "metadata.name"}:
                raise Refused(400, "BadRequest", f"the stand-in does not select by {field_}")
            found = [one for one in found if not field_ or one["metadata"]["name"] == value]
        return found

    def _watched(self, at: Place, asked: dict[str, Any]) -> None:
        """Tell what is there and what changes, until nobody listens."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        told: dict[str, Json] = {}
        begun = False
        while not select.select([self.connection], [], [], 0.1)[0]:
            now = {each["metadata"]["name"]: each for each in self._selected(at, asked)}
            for name, each in now.items():
                if told.get(name) != each:
                    self._event("MODIFIED" if name in told else "ADDED", each)
            for name in told.keys() - now.keys():
                self._event("DELETED", told[name])
            told = now
            if not begun and "sendInitialEvents" in asked:
                self._event("BOOKMARK", _end_of_what_was_there(at))
            begun = True

    def _event(self, kind: str, found: Json) -> None:
        self.wfile.write(json.dumps({"type": kind, "object": found}).encode() + b"\n")

    def _connected(self, at: Place, part: str, asked: dict[str, Any]) -> None:
        if at.kind != POD:
            raise Refused(404, "NotFound", f"{at} has no {part}")
        pod = self.of.objects.get(at)
        if part == "portforward":
            socket = self._upgraded(streams.PORT)
            streams.port(socket, self.of.dictionary, partial(page, pod))
            return
        container = asked["container"][0]
        if container not in {each["name"] for each in pod["spec"]["containers"]}:
            raise Refused(400, "BadRequest", f"container {container} is not valid for {at}")
        ran = Ran(at.name, container, asked["command"], asked.get("tty") == ["true"])
        self.of.ran.append(ran)
        streams.command(self._upgraded(streams.COMMAND), f"{json.dumps(ran.command)}\n")

    def _upgraded(self, protocol: str) -> WebSocket:
        offered = self.headers.get("Sec-WebSocket-Protocol", "")
        if protocol not in [each.strip() for each in offered.split(",")]:
            raise Refused(400, "BadRequest", f"the stand-in speaks {protocol} alone, not {offered}")
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accepted(self.headers["Sec-WebSocket-Key"]))
        self.send_header("Sec-WebSocket-Protocol", protocol)
        self.end_headers()
        self.close_connection = True
        return WebSocket(self.rfile, self.wfile)

    def _say(self, code: int, said: Json) -> None:
        if said.get("kind") == "Cluster" and "as=Table" in self.headers.get("Accept", ""):
            said = table(said)
        body = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _labels(found: Json) -> Json:
    return found["metadata"].get("labels", {})


def _end_of_what_was_there(at: Place) -> Json:
    metadata = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
    return {"apiVersion": at.kind.version, "kind": at.kind.name, "metadata": metadata}
