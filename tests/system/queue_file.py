"""A foreign hand at the embedded bus: the queues of `bus.db` as rows (crates/loa-bus-sqlite/src/schema.rs).

It stands where `contract.Amqp` stands in the shapes with a broker, so that one and the same bytes, good and bad, go in by
both doors. Nobody but tests should write to that file.
"""

import json
import pathlib
import sqlite3
import uuid

from contract import STRUCTURED, Producer

QUEUES = ("archive", "feed", "digest", "push")
BOUND = ("article", "document")


class QueueFile(Producer):
    """Publishes: on disk before it returns, as a confirm would say."""

    def __init__(self, path: pathlib.Path):
        self.file = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        self.file.close()

    def raw(self, body: bytes, key: str, content_type: str = STRUCTURED, message_id: str | None = None, headers: dict | None = None):
        self.file.execute("BEGIN IMMEDIATE")
        self.insert(body, key, content_type, message_id or str(uuid.uuid4()), headers or {})
        self.file.execute("COMMIT")

    def many(self, messages: list[tuple[bytes, str, str]]) -> None:
        """Publishes messages (body, routing key, message id) in one transaction."""
        self.file.execute("BEGIN IMMEDIATE")
        for body, key, message_id in messages:
            self.insert(body, key, STRUCTURED, message_id, {})
        self.file.execute("COMMIT")

    def insert(self, body: bytes, key: str, content_type: str, message_id: str, headers: dict) -> None:
        bound = key.split(".")[0] in BOUND or key == "system.heartbeat"
        made = self.file.execute(
            "INSERT INTO body (message_id, content_type, headers, routing_key, body) VALUES (?, ?, ?, ?, ?)",
            (message_id, content_type, json.dumps(headers, ensure_ascii=False), key, body))
        for queue in QUEUES if bound else ("unrouted",):
            self.file.execute("INSERT INTO entry (queue, body_id) VALUES (?, ?)", (f"loa.{queue}", made.lastrowid))

    def depth(self, queue: str) -> int:
        return self.file.execute("SELECT count(*) FROM entry WHERE queue = ? AND holder IS NULL", (queue,)).fetchone()[0]
