"""Those who subscribe at the hub, and the address that the world sees. They keep what they get, and know nothing of Loa.

`FrontDoor` is the reverse proxy that every installation has before it. `Reader` is a subscriber by the book whose habits
can be changed: those of websub.rocks' hub tests and of FreshRSS. `FlaskReader` is a foreign one: Flask-WebSub.
"""

import hashlib
import hmac
import http.server
import logging
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from installation import Answer, http as ask


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))


class FrontDoor:
    """Leads each path to its service; `route(path)` gives the address of the service, or None while there is none."""

    def __init__(self):
        self.route: Callable[[str], str | None] = lambda path: None
        door = self

        class Handler(Quiet):
            def do_GET(self):  # noqa: N802 (http.server's name)
                self.forward(None)

            def do_POST(self):  # noqa: N802
                self.forward(self.read())

            def forward(self, body: bytes | None) -> None:
                service = door.route(self.path)
                kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "content-length")}
                try:
                    answer = ask(self.command, f"{service}{self.path}", body, **kept)
                except OSError:
                    return self.say(502)
                passed = {name: value for name, value in answer.headers.items() if name.lower() not in ("content-length", "connection", "date")}
                self.say(answer.status, answer.body, passed)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Call:
    """One request that a callback got."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query, keep_blank_values=True))

    def signed_with(self, secret: str) -> bool:
        """Whether X-Hub-Signature is this secret's, whatever its method (the four of the Recommendation)."""
        method, _, digits = self.headers.get("x-hub-signature", "").partition("=")
        if method not in ("sha1", "sha256", "sha384", "sha512"):
            return False
        return hmac.compare_digest(digits, hmac.new(secret.encode(), self.body, getattr(hashlib, method)).hexdigest())


class Reader:
    """A subscriber: echoes challenges and takes what it is given, unless `answer` says otherwise: status, body, headers."""

    def __init__(self):
        self.calls: list[Call] = []
        self.answer: Callable[[Call], tuple[int, bytes, dict[str, str]] | None] = lambda call: None
        reader = self

        class Handler(Quiet):
            def do_GET(self):  # noqa: N802
                self.take()

            def do_POST(self):  # noqa: N802
                self.take()

            def take(self) -> None:
                call = Call(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, self.read())
                reader.calls.append(call)
                usual = (200, call.query.get("hub.challenge", "").encode(), {}) if self.command == "GET" else (204, b"", {})
                self.say(*(reader.answer(call) or usual))

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def asked(self, path: str) -> list[Call]:
        """The GETs at a callback, whose own address begins so."""
        return [call for call in list(self.calls) if call.method == "GET" and call.path.startswith(path)]

    def told(self, path: str) -> list[Call]:
        """The POSTs at a callback."""
        return [call for call in list(self.calls) if call.method == "POST" and call.path == path]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def request(hub: str, **parameters: str) -> Answer:
    """A request to a hub; `_` is a dot in names: hub_mode."""
    form = {name.replace("hub_", "hub.", 1): value for name, value in parameters.items()}
    return ask("POST", hub, urllib.parse.urlencode(form).encode(), Content_Type="application/x-www-form-urlencoded")


class FlaskReader:
    """Flask-WebSub's subscriber, as its README has it."""

    def __init__(self, folder):
        import flask
        import flask_websub.subscriber as websub
        import werkzeug.serving

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.discover = websub.discover
        self.told: list[tuple[str, str, bytes]] = []
        self.succeeded: list[tuple[str, str, str]] = []
        self.failed: list[tuple[str, str, str]] = []
        database = str(folder / "flask-websub.sqlite3")
        self.subscriber = websub.Subscriber(websub.SQLite3SubscriberStorage(database), websub.SQLite3TempSubscriberStorage(database))
        self.subscriber.add_listener(lambda *call: self.told.append(call))
        self.subscriber.add_success_handler(lambda *call: self.succeeded.append(call))
        self.subscriber.add_error_handler(lambda *call: self.failed.append(call))
        self.app = flask.Flask("reader")
        self.app.register_blueprint(self.subscriber.build_blueprint(url_prefix="/callbacks"))
        self.server = werkzeug.serving.make_server("127.0.0.1", 0, self.app, threaded=True)
        self.app.config["SERVER_NAME"] = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def act(self, what: Callable, *arguments, **named):
        """Calls a method of the subscriber as a request would."""
        with self.app.app_context():
            return what(*arguments, **named)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
