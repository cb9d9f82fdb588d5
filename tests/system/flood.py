"""Very many events, as fast as a bus takes them, each safe there before the flood is over.

Over AMQP with a window of confirms (pika's asynchronous connection); into the file of queues by large transactions.
"""

import itertools
from collections.abc import Iterator

import pika
from contract import STRUCTURED, routing_key
from installation import Installation
from queue_file import QueueFile

WINDOW = 2_000  # unconfirmed at a time
WINDOW_BYTES = 16_000_000

Event = tuple[dict, bytes]


def flood(loa: Installation, events: Iterator[Event]) -> int:
    """Publishes events (each with its bytes) and returns how many, once all are safe."""
    if loa.amqp_url:
        return Flood(loa.amqp_url, events).run()
    queues, count = QueueFile(loa.folder / "data/bus.db"), 0
    while batch := list(itertools.islice(events, WINDOW)):
        queues.many([(body, routing_key(message), message["id"]) for message, body in batch])
        count += len(batch)
    queues.close()
    return count


class Flood:
    """One connection that publishes until there are no more events and none is unconfirmed."""

    def __init__(self, url: str, events: Iterator[Event]):
        self.events, self.count, self.first, self.bytes, self.fault = events, 0, 1, 0, None
        self.pending: dict[int, int] = {}  # delivery tag: bytes
        self.over = False
        parameters = pika.URLParameters(url)
        parameters.heartbeat = 0
        self.connection = pika.SelectConnection(
            parameters, on_open_callback=lambda connection: connection.channel(on_open_callback=self.opened),
            on_open_error_callback=self.ended, on_close_callback=self.ended)

    def run(self) -> int:
        self.connection.ioloop.start()
        assert self.fault is None and not self.pending, f"{self.count} events published, {len(self.pending)} not confirmed: {self.fault}"
        return self.count

    def opened(self, channel) -> None:
        self.channel = channel
        channel.add_on_close_callback(lambda _, reason: None if self.over else self.ended(self.connection, reason))
        channel.confirm_delivery(self.confirmed, callback=lambda _: self.fill())

    def fill(self) -> None:
        while not self.over and len(self.pending) < WINDOW and self.bytes < WINDOW_BYTES:
            event = next(self.events, None)
            if event is None:
                if not self.pending:
                    self.over = True
                    self.connection.close()
                return
            message, body = event
            self.count += 1
            self.pending[self.count] = len(body)
            self.bytes += len(body)
            self.channel.basic_publish("loa.events", routing_key(message), body, pika.BasicProperties(
                content_type=STRUCTURED, message_id=message["id"], delivery_mode=2))

    def confirmed(self, frame) -> None:
        if isinstance(frame.method, pika.spec.Basic.Nack):
            self.fault = "the broker refused an event"
        tag = frame.method.delivery_tag
        for one in range(self.first, tag + 1) if frame.method.multiple else (tag,):
            self.bytes -= self.pending.pop(one, 0)
        if frame.method.multiple:
            self.first = tag + 1
        self.fill()

    def ended(self, _, reason) -> None:
        if not self.over:
            self.fault = repr(reason)
        self.connection.ioloop.stop()
