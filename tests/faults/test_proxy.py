"""The proxy leads through, resets, and swallows."""

import contextlib
import socket
import threading

import pytest
from proxy import Proxies


@pytest.fixture
def way():
    """A proxy before a server that says everything back, and a client through it."""
    server = socket.create_server(("127.0.0.1", 0))

    def echo() -> None:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the proxy resets it
            while data := connection.recv(100):
                connection.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    return Proxies().to("127.0.0.1", server.getsockname()[1])


def connect(way) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", way.port), 2)
    client.settimeout(2)
    return client


def said_back(client: socket.socket) -> bytes:
    client.sendall(b"hello")
    return client.recv(100)


def test_it_leads_through_until_it_resets(way):
    client = connect(way)
    assert said_back(client) == b"hello"
    assert way.reset() == 1
    with pytest.raises(ConnectionResetError):
        said_back(client)
    assert said_back(connect(way)) == b"hello"


def test_what_it_swallows_stays_swallowed_and_nobody_is_told(way):
    client = connect(way)
    assert said_back(client) == b"hello"
    assert way.swallow() == 1
    late = connect(way)
    for one in (client, late):
        with pytest.raises(TimeoutError):
            said_back(one)
    assert way.let_through() == 1
    assert said_back(connect(way)) == b"hello"
    with pytest.raises(TimeoutError):
        said_back(client)
