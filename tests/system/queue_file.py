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
        bound = key.split(".")[0] in BOUND or key == "system.heartbeat"
        self.file.execute("BEGIN IMMEDIATE")
        made = self.file.execute(
            "INSERT INTO body (message_id, content_type, headers, routing_key, body) VALUES (?, ?, ?, ?, ?)",
            (message_id or str(uuid.uuid4()), content_type, json.dumps(headers or {}, ensure_ascii=False), key, body))
        for queue in QUEUES if bound else ("unrouted",):
            self.file.execute("INSERT INTO entry (queue, body_id) VALUES (?, ?)", (f"loa.{queue}", made.lastrowid))
        self.file.execute("COMMIT")

    def depth(self, queue: str) -> int:
        return self.file.execute("SELECT count(*) FROM entry WHERE queue = ? AND holder IS NULL", (queue,)).fetchone()[0]
