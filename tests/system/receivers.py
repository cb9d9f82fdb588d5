"""Those at the other end: a real SMTP server and a provincial portal that takes webhooks. They keep what they get.

Must not know what Loa is; both can misbehave when told to.
"""

import asyncio
import email
import email.policy
import http.server
import json
import socket
import threading
from collections.abc import Callable

from aiosmtpd.controller import Controller

from broker import free_port


class Mail:
    """One received mail: its envelope, its bytes, and what Python's `email` reads in them."""

    def __init__(self, mail_from: str, rcpt_tos: list[str], content: bytes):
        self.mail_from, self.rcpt_tos, self.content = mail_from, rcpt_tos, content
        self.message = email.message_from_bytes(content, policy=email.policy.default)

    def part(self, kind: str) -> str:
        """`plain` or `html`, decoded."""
        body = self.message.get_body((kind,))
        assert body is not None, f"no {kind} part"
        return body.get_content()

    def defects(self) -> list:
        """Everything the parser complained about: in each part and each header."""
        return [
            defect for part in self.message.walk()
            for defect in (*part.defects, *(d for header in part.values() for d in getattr(header, "defects", ())))
        ]


class MailServer:
    """A real SMTP server (aiosmtpd). `answer(address)` may give another answer to RCPT than 250; `pause` makes it slow."""

    def __init__(self, pause: float = 0):
        self.mails: list[Mail] = []
        self.pause = pause
        self.answer: Callable[[str], str | None] = lambda address: None
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.controller.start()
        self.port = self.controller.port

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802 (aiosmtpd's name)
        await asyncio.sleep(self.pause)
        said = self.answer(address)
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 OK, kept"

    def to(self, address: str) -> list[Mail]:
        """The mails to one address, in order."""
        return [mail for mail in list(self.mails) if address in mail.rcpt_tos]

    def close(self) -> None:
        self.controller.stop()


class Hook:
    """One received webhook request, and what was answered."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes, status: int):
        self.path, self.headers, self.body, self.status = path, headers, body, status

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def json(self) -> dict:
        return json.loads(self.body)


class ProvincialPortal:
    """Takes webhooks. `answer(request)` says with which status; 204 unless told otherwise."""

    def __init__(self):
        self.hooks: list[Hook] = []
        self.answer: Callable[[Hook], int] = lambda hook: 204
        portal = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802 (http.server's name)
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                hook = Hook(self.path, {name.lower(): value for name, value in self.headers.items()}, body, 0)
                hook.status = portal.answer(hook)
                portal.hooks.append(hook)
                self.send_response(hook.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def delivered(self) -> list[Hook]:
        """Those answered 2xx."""
        return [hook for hook in list(self.hooks) if 200 <= hook.status < 300]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class DeadPortal:
    """Takes every connection and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.held: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/webhooks"
        threading.Thread(target=self.take, daemon=True).start()

    def take(self) -> None:
        while True:
            try:
                self.held.append(self.listener.accept()[0])
            except OSError:  # closed
                return

    def close(self) -> None:
        self.listener.close()
        for connection in self.held:
            connection.close()
