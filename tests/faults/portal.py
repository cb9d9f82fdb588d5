"""Receivers of webhooks that misbehave on command, each endpoint by itself; they keep count of everything they get.

Must not know what an event is: only ids, digests of bodies, whose they say they are, the mark of the state, and what was
answered when.
"""

import dataclasses
import hashlib
import http.server
import json
import socket
import struct
import threading
import time

from journal import Journal, Window
from workload import MARK

DELIVERED = range(200, 300)


@dataclasses.dataclass(slots=True)
class Attempt:
    """One request: when it came, with which status it was answered (0: none), and whether that answer left us whole."""

    at: float
    status: int
    whole: bool
    moods: str


@dataclasses.dataclass(slots=True)
class Delivery:
    """All requests under one webhook-id at one endpoint."""

    digest: bytes
    attempts: list[Attempt]
    changed: bool = False  # its body was another one at some attempt
    source: str = ""  # of the event
    portal: str = ""  # the slug that the header says; empty: home
    mark: str = ""  # of the state that it tells of

    def delivered(self) -> list[Attempt]:
        """Attempts that the receiver took for good: it would have stored the event."""
        return [attempt for attempt in self.attempts if attempt.status in DELIVERED]


def told_by(body: bytes, headers) -> tuple[str, str, str]:
    """Source, portal and mark of an event; what is none has none."""
    try:
        event = json.loads(body)
        data = event["data"]
        mark = MARK.search(data.get("title") or data.get("reason") or "")
        return str(event["source"]), headers.get("loa-portal", ""), mark.group(1) if mark else ""
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", "", ""


class Portal:
    """An HTTP server with a path for each endpoint. `mood(endpoint)` is the fault it has now."""

    def __init__(self, journal: Journal, total_timeout: float):
        self.journal, self.total_timeout = journal, total_timeout
        self.moods: dict[str, tuple[str, Window]] = {}
        self.seen: dict[tuple[str, str], Delivery] = {}
        self.lock = threading.Lock()
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self):  # noqa: N802 (http.server's name)
                portal.take(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # senders that hang up are what this is about

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True, name="portal").start()

    def url(self, endpoint: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{endpoint}"

    def take(self, request) -> None:
        endpoint = request.path.strip("/")
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        number = request.headers.get("webhook-id", "")
        mood, window = self.moods.get(endpoint, ("", None))
        attempt = Attempt(time.time(), 0, False, mood)
        digest = hashlib.sha256(body).digest()
        with self.lock:
            known = self.seen.get((endpoint, number))
            if known is None:
                known = self.seen[(endpoint, number)] = Delivery(digest, [], False, *told_by(body, request.headers))
            known.changed |= known.digest != digest
            known.attempts.append(attempt)
            if window is not None:
                window.effects += 1
        try:
            self.answer(request, mood, attempt)
        finally:
            self.journal.write("webhook", endpoint=endpoint, id=number, status=attempt.status, whole=attempt.whole, mood=mood,
                               attempt=request.headers.get("loa-attempt"), digest=digest.hex()[:16], bytes=len(body))

    def answer(self, request, mood: str, attempt: Attempt) -> None:
        status, headers = {
            "portal-500": (500, {}), "portal-429": (429, {"retry-after": "2"}), "portal-410": (410, {}),
            "portal-redirect": (307, {"location": "http://127.0.0.1:9/elsewhere"}),
        }.get(mood, (204, {}))
        if mood == "portal-silent":
            self.wait(request, self.total_timeout + 2)
            request.close_connection = True
            return
        if mood == "portal-reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.close()
            request.close_connection = True
            return
        # from here on the receiver has decided; whether the sender hears it is another question
        attempt.status = 200 if mood in ("portal-drip", "portal-late") else status
        if mood == "portal-late":
            self.wait(request, self.total_timeout + 1)
        if mood == "portal-drip":
            self.drip(request)
            return
        request.send_response(attempt.status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("content-length", "0")
        request.end_headers()
        attempt.whole = mood != "portal-late"

    @staticmethod
    def wait(request, seconds: float) -> None:
        """Says nothing for so long, or until the other side hangs up."""
        request.connection.settimeout(seconds)
        try:
            request.connection.recv(1)
        except OSError:
            pass

    def drip(self, request) -> None:
        """The answer comes byte by byte: at first the status line, for longer than anybody waits."""
        request.close_connection = True
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 1000:
            try:
                request.connection.send(bytes([byte]))
            except OSError:
                return
            time.sleep(self.total_timeout / 20)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
