"""Events of the contract, written by hand from docs/schemas and docs/asyncapi.yaml: what a foreign producer would send.

Must not use anything of Loa but those documents.
"""

import contextlib
import json
import pathlib
import time
import uuid

import jsonschema
import pika
import referencing

SOURCE = "https://dienbiendong.gov.vn/"  # the home portal of every test: who else publishes must be added first
SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs/schemas"
EXCHANGE = "loa.events"
STRUCTURED = "application/cloudevents+json"
HEARTBEAT = "application/x-heartbeat"


def article(article_id: str, revision: int = 1, **changes) -> dict:
    """`data` of an article with everything the schema wants."""
    return {
        "id": article_id,
        "revision": revision,
        "url": f"{SOURCE}tin/{article_id}",
        "title": f"Tin {article_id}",
        "summary": "Hội nghị triển khai nhiệm vụ của xã.",
        "content_html": "<p>Nội dung <strong>chi tiết</strong>.</p>",
        "language": "vi",
        "category": {"slug": "kinh-te", "label": "Kinh tế"},
        "source_name": "Văn phòng UBND",
        "images": [],
        "attachments": [],
        "published_at": "2023-11-16T08:02:22+07:00",
        "modified_at": "2023-11-16T08:02:22+07:00",
    } | changes


def event(kind: str, data: dict, **changes) -> dict:
    """A CloudEvent in structured mode, of type `vn.loa.{kind}.v1`."""
    return {
        "specversion": "1.0",
        "type": f"vn.loa.{kind}.v1",
        "source": SOURCE,
        "subject": data["id"],
        "id": str(uuid.uuid4()),
        "time": "2023-11-16T08:02:22+07:00",
        "datacontenttype": "application/json",
        "data": data,
    } | changes


def published(article_id: str, revision: int = 1, **changes) -> dict:
    """The usual event."""
    return event("article.published" if revision == 1 else "article.updated", article(article_id, revision, **changes))


def withdrawn(article_id: str, revision: int, reason: str) -> dict:
    """The taking back of an article."""
    return event("article.withdrawn", {"id": article_id, "revision": revision, "reason": reason, "at": "2023-11-20T10:00:00+07:00"})


def judge() -> jsonschema.Draft202012Validator:
    """The schema of a whole event, ready to judge."""
    schemas = [json.loads(path.read_text()) for path in SCHEMAS.glob("*.v1.json")]
    resources = ((schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas)
    root = next(schema for schema in schemas if schema["$id"] == "urn:loa:schema:event:v1")
    return jsonschema.Draft202012Validator(
        root, registry=referencing.Registry().with_resources(resources),
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def routing_key(message: dict) -> str:
    """`article.published.kinh-te`."""
    words = message["type"].split(".")
    category = message["data"].get("category", {}).get("slug", "none")
    return f"{words[2]}.{words[3]}.{category}"


class Producer:
    """Publishes events by the contract. Where to, its children say in `raw`."""

    def raw(self, body: bytes, key: str, content_type: str = STRUCTURED, message_id: str | None = None, headers: dict | None = None):
        """Publishes bytes, and returns when they are safe."""
        raise NotImplementedError

    def depth(self, queue: str) -> int:
        """Messages that are ready in a queue."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends the connection."""
        raise NotImplementedError

    def structured(self, message: dict) -> None:
        """Publishes an event in structured mode."""
        self.raw(json.dumps(message, ensure_ascii=False).encode(), routing_key(message), message_id=message["id"])

    def binary(self, message: dict, prefix: str = "cloudEvents:") -> None:
        """Publishes an event in binary mode: attributes as headers, `data` as the body."""
        attributes = {name: value for name, value in message.items() if name not in ("data", "datacontenttype")}
        self.raw(
            json.dumps(message["data"], ensure_ascii=False).encode(), routing_key(message), content_type="application/json",
            message_id=message["id"], headers={prefix + name: value for name, value in attributes.items()},
        )


class Amqp(Producer):
    """An independent AMQP client (pika): publishes with confirms, listens at the exchange, looks into queues."""

    def __init__(self, url: str):
        parameters = pika.URLParameters(url)
        parameters.heartbeat = 0  # a test may look elsewhere for longer than a heartbeat
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def close(self) -> None:
        with contextlib.suppress(pika.exceptions.AMQPError):  # its virtual host may be gone already, and it with it
            if self.connection.is_open:
                self.connection.close()

    def raw(self, body: bytes, key: str, content_type: str = STRUCTURED, message_id: str | None = None, headers: dict | None = None):
        # persistent, mandatory, confirmed
        self.channel.basic_publish(
            EXCHANGE, key, body,
            pika.BasicProperties(content_type=content_type, message_id=message_id, headers=headers, delivery_mode=2),
            mandatory=True,
        )

    def listen(self) -> str:
        """An extra queue that hears whatever is published to the exchange."""
        queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.queue_bind(queue, EXCHANGE, "#")
        return queue

    def take(self, queue: str, count: int, seconds: float = 45) -> list:
        """Takes so many messages off a queue: (method, properties, body). Fails when fewer come. Heartbeats are passed over."""
        taken, deadline = [], time.monotonic() + seconds
        while len(taken) < count:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is not None:
                if properties.content_type != HEARTBEAT:
                    taken.append((method, properties, body))
                continue
            assert time.monotonic() < deadline, f"{queue}: {len(taken)} of {count} messages after {seconds} s"
            self.connection.sleep(0.05)
        return taken

    def depth(self, queue: str) -> int:
        return self.channel.queue_declare(queue, passive=True).method.message_count
