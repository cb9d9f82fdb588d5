"""A line to a broker that makes it behave as RabbitMQ 4.2.6 and 4.3.0 do: looking (a passive declare) needs `configure`, too.

A passive declare becomes an active one on its way, so the broker itself holds it against the user's rights and refuses it in its
own words. Only for users without `configure`: for others it would make things.
"""

import contextlib
import socket
import struct
import threading

EXCHANGE_DECLARE, QUEUE_DECLARE = (40, 10), (50, 10)
PASSIVE = 1


def active(payload: bytes) -> bytes:
    """The payload of a method frame, with a passive declare made an active one."""
    method = struct.unpack(">HH", payload[:4])
    if method not in (EXCHANGE_DECLARE, QUEUE_DECLARE):
        return payload
    at = 6  # behind the method and a reserved short
    for _ in range(2 if method == EXCHANGE_DECLARE else 1):  # name, and an exchange's type
        at += 1 + payload[at]
    return payload[:at] + bytes([payload[at] & ~PASSIVE]) + payload[at + 1:]


def exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def forward(source: socket.socket, target: socket.socket) -> None:
    """From client to broker, frame by frame."""
    with contextlib.suppress(OSError, EOFError):
        target.sendall(exactly(source, 8))  # the protocol's header
        while True:
            head = exactly(source, 7)
            kind, _, size = struct.unpack(">BHL", head)
            payload, end = exactly(source, size), exactly(source, 1)
            target.sendall(head + (active(payload) if kind == 1 else payload) + end)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def backward(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def looking_needs_configure(port: int):
    """The port of such a line to the broker at `port`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                broker = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=forward, args=(client, broker), daemon=True).start()
                threading.Thread(target=backward, args=(broker, client), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()
